import type { BlockList } from 'node:net';
import type { Clock } from '../../core/kit/clock.ts';
import type { Passwords } from './basic-auth.ts';
import type { Counters } from './counters.ts';
import type { Deadlines } from './deadlines.ts';
import { FieldTable } from './http1/fields.ts';
import { type RequestScan, requestScan } from './http1/request-head.ts';
import type { ResponseScan } from './http1/response-head.ts';
import { Slices } from './http1/slices.ts';
import type { RouteTable } from './route-table.ts';
import type { EdgeSettings } from './settings.ts';
import type { Upstreams } from './upstreams.ts';

/** What every connection of one engine shares. */
export type EdgeContext = {
  readonly settings: EdgeSettings;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly deadlines: Deadlines;
  readonly upstreams: Upstreams;
  readonly scratch: Scratch;
  readonly trusted: BlockList;
  readonly passwords: Passwords;
  readonly requestId: () => string;
  readonly table: () => RouteTable;
};

/** What connections to endpoints need of it. */
export type UpstreamContext = Pick<EdgeContext, 'settings' | 'clock' | 'counters' | 'deadlines' | 'scratch'>;

/** Memory that is used within one call and never across two: reads, scans and slices allocate nothing. */
export type Scratch = {
  readonly readBuffer: Buffer;
  readonly request: RequestScan;
  readonly response: ResponseScan;
  readonly trailers: FieldTable;
  readonly slices: Slices;
};

const readBufferBytes = 65_536;

export function createScratch(maxFields: number): Scratch {
  return {
    readBuffer: Buffer.allocUnsafeSlow(readBufferBytes),
    request: requestScan(new FieldTable(maxFields)),
    response: { fields: new FieldTable(maxFields), fieldsStart: 0 },
    trailers: new FieldTable(32),
    slices: new Slices(),
  };
}
