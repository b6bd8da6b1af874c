import type { BlockList } from 'node:net';
import type { ForwardAuths } from './access/access-question.ts';
import type { Passwords } from './access/basic-auth.ts';
import type { ServedTogether } from './listeners/server-name.ts';
import type { HttpDate } from './request/http-date.ts';
import type { RouteTable } from './routes/route-table.ts';
import type { AccessLog } from './telemetry/access-log.ts';
import type { UpstreamContext } from './upstream/upstream-context.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What every connection of one engine shares. */
export type EdgeContext = UpstreamContext & {
  readonly upstreams: Upstreams;
  readonly trusted: BlockList;
  readonly passwords: Passwords;
  readonly forwardAuths: ForwardAuths;
  readonly servedTogether: ServedTogether;
  readonly requestId: () => string;
  readonly date: HttpDate;
  /** Numbers in [0, 1). */
  readonly chance: () => number;
  readonly table: () => RouteTable;
  /** Undefined: nobody wants one. */
  readonly accessLog: AccessLog | undefined;
};
