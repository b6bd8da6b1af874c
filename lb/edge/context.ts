import type { BlockList } from 'node:net';
import type { AccessLog } from './access-log.ts';
import type { ForwardAuths } from './access-question.ts';
import type { Passwords } from './basic-auth.ts';
import type { RouteTable } from './route-table.ts';
import type { ServedTogether } from './server-name.ts';
import type { UpstreamContext } from './upstream-context.ts';
import type { Upstreams } from './upstreams.ts';

/** What every connection of one engine shares. */
export type EdgeContext = UpstreamContext & {
  readonly upstreams: Upstreams;
  readonly trusted: BlockList;
  readonly passwords: Passwords;
  readonly forwardAuths: ForwardAuths;
  readonly servedTogether: ServedTogether;
  readonly requestId: () => string;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  readonly table: () => RouteTable;
  /** Undefined: nobody wants one. */
  readonly accessLog: AccessLog | undefined;
};
