import type { App, PortDefinition, PortMapping } from '../../core/model/app.ts';
import { portsOf } from '../../core/model/ports.ts';
import type { AppDraft } from './normalise.ts';

export type ServicePortRange = { readonly begin: number; readonly end: number };

/**
 * Gives every port that asks for 0 a service port (Marathon §11.4): first those the app had before, in order, then the
 * lowest ones not taken. Undefined: the range is used up.
 */
export function assignServicePorts(
  draft: AppDraft,
  {
    previous,
    taken,
    range,
  }: { previous: App | undefined; taken: ReadonlySet<number>; range: ServicePortRange },
): AppDraft | undefined {
  const explicit = new Set(servicePorts(draft));
  const reusable =
    previous === undefined
      ? []
      : servicePorts(previous).filter((port) => !explicit.has(port) && inRange(port, range));
  const used = new Set([...taken, ...explicit]);
  let exhausted = false;
  const next = (): number => {
    const again = reusable.shift();
    const port = again ?? lowestFree(used, range);
    exhausted ||= port === undefined;
    if (port !== undefined) used.add(port);
    return port ?? 0;
  };
  const definitions = draft.portDefinitions?.map(
    (port): PortDefinition => (port.port === 0 ? { ...port, port: next() } : port),
  );
  const mappings = draft.container?.portMappings?.map(
    (port): PortMapping => (port.servicePort === 0 ? { ...port, servicePort: next() } : port),
  );
  if (exhausted) return undefined;
  return {
    ...draft,
    ...(definitions === undefined ? {} : { portDefinitions: definitions }),
    ...(draft.container === undefined || mappings === undefined
      ? {}
      : { container: { ...draft.container, portMappings: mappings } }),
  };
}

/** The service ports of an app that are assigned. */
export function servicePorts(app: AppDraft): number[] {
  return portsOf({ ...app, version: '', versionInfo: { lastScalingAt: '', lastConfigChangeAt: '' } })
    .map((port) => port.servicePort)
    .filter((port) => port !== 0);
}

function lowestFree(used: ReadonlySet<number>, { begin, end }: ServicePortRange): number | undefined {
  for (let port = begin; port < end; port++) if (!used.has(port)) return port;
  return undefined;
}

function inRange(port: number, { begin, end }: ServicePortRange): boolean {
  return port >= begin && port < end;
}
