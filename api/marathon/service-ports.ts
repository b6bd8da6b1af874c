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
  }: { previous: App | undefined; taken: { has(port: number): boolean }; range: ServicePortRange },
): AppDraft | undefined {
  const explicit = new Set(servicePorts(draft));
  const reusable =
    previous === undefined
      ? []
      : servicePorts(previous).filter((port) => !explicit.has(port) && inRange(port, range));
  const used = new Set(explicit);
  let exhausted = false;
  const next = (): number => {
    const again = reusable.shift();
    const port = again ?? lowestFree({ has: (port) => used.has(port) || taken.has(port) }, range);
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
  return portsOf(app)
    .map((port) => port.servicePort)
    .filter((port) => port !== 0);
}

/** How many apps use each service port. */
export class PortBook {
  readonly #users = new Map<number, number>();

  constructor(apps: Iterable<App>) {
    for (const app of apps) this.add(app);
  }

  get taken(): { has(port: number): boolean } {
    return this.#users;
  }

  add(app: AppDraft): void {
    for (const port of servicePorts(app)) this.#users.set(port, (this.#users.get(port) ?? 0) + 1);
  }

  remove(app: AppDraft): void {
    for (const port of servicePorts(app)) {
      const users = (this.#users.get(port) ?? 0) - 1;
      if (users > 0) this.#users.set(port, users);
      else this.#users.delete(port);
    }
  }
}

function lowestFree(
  used: { has(port: number): boolean },
  { begin, end }: ServicePortRange,
): number | undefined {
  for (let port = begin; port < end; port++) if (!used.has(port)) return port;
  return undefined;
}

function inRange(port: number, { begin, end }: ServicePortRange): boolean {
  return port >= begin && port < end;
}
