import { FieldTable } from '../http1/fields.ts';
import { type RequestScan, requestScan } from '../http1/request-head.ts';
import type { ResponseScan } from '../http1/response-head.ts';
import { Slices } from '../http1/slices.ts';
import { ReadMemory } from './read-memory.ts';
import { TurnShare } from './turn-share.ts';
import { TurnWrites } from './turn-writes.ts';

/** Memory that is used within one call and never across two (`writes`: one turn of the event loop): reads, scans and slices allocate nothing. */
export type Scratch = {
  readonly readBuffer: Buffer;
  readonly writes: TurnWrites;
  readonly memory: ReadMemory;
  readonly share: TurnShare;
  readonly request: RequestScan;
  readonly response: ResponseScan;
  readonly trailers: FieldTable;
  readonly slices: Slices;
};

const readBufferBytes = 65_536;

export function createScratch(maxFields: number): Scratch {
  return {
    readBuffer: Buffer.allocUnsafeSlow(readBufferBytes),
    writes: new TurnWrites(),
    memory: new ReadMemory(),
    share: new TurnShare(),
    request: requestScan(new FieldTable(maxFields)),
    response: { fields: new FieldTable(maxFields), fieldsStart: 0 },
    trailers: new FieldTable(32),
    slices: new Slices(),
  };
}
