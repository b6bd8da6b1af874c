import type { App } from '../core/model/app.ts';
import { notActedOn } from './marathon/not-acted-on.ts';

/** Ids beyond this are cut, so that headers stay small. */
const longestId = 100;

/**
 * What is accepted in these apps but changes nothing yet, as values of the header `Warning` (RFC 7234 §5.5, code 299). One for
 * each thing, however many apps have it.
 */
export function warningsOf(apps: readonly App[]): readonly string[] {
  const found = apps.flatMap((app) => notActedOn(app).map((text) => ({ text, id: app.id })));
  return [...Map.groupBy(found, ({ text }) => text)].map(([text, [first, ...others]]) => {
    const id = first?.id.slice(0, longestId);
    return `299 weir "${text} (${id}${others.length === 0 ? '' : ` and ${others.length} more`})"`;
  });
}
