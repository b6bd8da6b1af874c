import type { AppId } from './ids.ts';

/**
 * Servers behind one name, for routes and listeners that lead to more than one port of one app (a backend of an Edge-LB pool). A
 * `ServiceRef` names it where an app's id would stand; its key is no app's id, since it does not begin with `/`.
 */
export type ServerSet = {
  readonly key: string;
  readonly sources: readonly ServerSource[];
  /** Its servers are called after machine, address and port, as marathon-lb calls them; absent: as Edge-LB does. */
  readonly naming?: 'machine';
  /** One of its apps takes the place of another, task by task. */
  readonly swap?: AppSwap;
};

/**
 * Of the old app's tasks, in the order of their ids, as many get nothing new as the new app has ready ones, while `target` are left
 * (marathon-lb's blue/green pairs, ingress.md C1).
 */
export type AppSwap = {
  readonly old: AppId;
  /** How many the old app is to have. */
  readonly oldInstances: number;
  readonly new: AppId;
  readonly target: number;
};

export type ServerSource = (AppServers | AddressServer) & {
  /** Share of the requests, 1 to 256; default 1. */
  readonly weight?: number;
  /** Used only while no other can be. */
  readonly backup?: true;
};

/** Endpoints of an app that takes part in traffic. */
export type AppServers = {
  readonly appId: AppId;
  readonly ports: PortChoice;
  /** `agent`: the agent's address and the host port; `container`: every address of its own; `auto`: where connections go. */
  readonly via: 'auto' | 'agent' | 'container';
  /** Only tasks of this id, or one that this expression (RE2) is found in. */
  readonly task?: { readonly is: string } | { readonly like: string };
};

export type PortChoice =
  | { readonly by: 'all' }
  | { readonly by: 'index'; readonly index: number }
  | { readonly by: 'name'; readonly names: readonly string[] }
  /** The port of this number, inside or outside; where there is none, the number itself. */
  | { readonly by: 'number'; readonly number: number };

/** An address as it is, or a name that is asked for again with each connection. */
export type AddressServer = { readonly host: string; readonly port: number };

export function isServerSet(id: string): boolean {
  return !id.startsWith('/');
}

/** The apps that it has endpoints of. */
export function appsOf({ sources }: ServerSet): readonly AppId[] {
  return sources.flatMap((source) => ('appId' in source ? [source.appId] : []));
}
