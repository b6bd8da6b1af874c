import type { App } from '../model/app.ts';
import type { PortRequest } from '../model/ports.ts';

/** The port that marathon-lb serves a port of an app at, and names its backend after; undefined: it has no number. */
export function servedPort(
  { labels }: Pick<App, 'labels'>,
  { index, servicePort }: PortRequest,
): number | undefined {
  const number = Number(labels[`HAPROXY_${index}_PORT`] ?? servicePort);
  return Number.isInteger(number) && number > 0 && number <= 65_535 ? number : undefined;
}

/** `/group/app` at 10001 is `group_app_10001` (ingress.md B4). */
export function backendName(id: string, port: number | undefined): string {
  return `${id.slice(1).replaceAll('/', '_')}_${port ?? 0}`;
}
