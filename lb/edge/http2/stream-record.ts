import type { Socket } from 'node:net';
import type { EdgeContext } from '../context.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import { TurnRecord } from '../telemetry/turn-record.ts';
import type { StreamAnswer } from './stream-answer.ts';

export type StreamRecordParts = {
  readonly head: RequestHead;
  readonly host: { readonly facts: ClientFacts; readonly socket: Socket };
  readonly answer: StreamAnswer;
};

/** What the access log will say of one request of an HTTP/2 connection; undefined: nobody wants one. */
export function streamRecord(
  { accessLog: log, clock }: Pick<EdgeContext, 'accessLog' | 'clock'>,
  { head, host: { facts, socket }, answer }: StreamRecordParts,
): TurnRecord | undefined {
  if (log === undefined) return undefined;
  const wire = {
    socket,
    get written() {
      return answer.written;
    },
  };
  const record = new TurnRecord({ log, host: { wire, facts }, head, now: clock.now() });
  record.bytesIn = head.text.length;
  return record;
}
