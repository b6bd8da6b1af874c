import type { Route } from '../../../core/model/route.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import { limitSections, streamAccessLines, streamLimitLines } from './access-lines.ts';
import type { Shape } from './sections.ts';
import type { ShapeSettings } from './shape.ts';
import { healthOptions, streamTrafficLines } from './traffic-lines.ts';
import { speechOf } from './upstream-words.ts';

/** How HAProxy carries out a route of a listener that is not HTTP (lb/edge/l4/stream-route.ts). */
export function streamShapeOf(
  { options = {} }: Route,
  settings: ShapeSettings,
  certificates: RouteTable['certificates'],
): Shape {
  const { protocol: _, ...spoken } = options;
  const { words: speech, files } = speechOf(spoken, certificates);
  return {
    from: 'streams',
    lines: [...streamTrafficLines(options), ...streamAccessLines(options), ...streamLimitLines(options)],
    sections: limitSections(options),
    speech,
    health: healthOptions(options, settings, 'layer4'),
    checks: options.check !== undefined,
    cookie: undefined,
    isScripted: false,
    restricts: false,
    files,
  };
}
