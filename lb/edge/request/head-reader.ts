import type { EdgeContext } from '../context.ts';
import { CR, LF } from '../http1/characters.ts';
import { isFault } from '../http1/facts.ts';
import { type Fault, faults } from '../http1/fault.ts';
import { INCOMPLETE, REFUSED } from '../http1/fields.ts';
import { latin1 } from '../http1/latin1.ts';
import { type RequestHead, readRequest, scanRequest } from '../http1/request-head.ts';

/** Reads the heads of a connection's requests, one after the other, from pieces cut anywhere. */
export class HeadReader {
  /** What the last `read` that gave an offset found; undefined: an empty line that is let pass. */
  head: RequestHead | undefined;
  /** Why the last `read` gave REFUSED. */
  fault: Fault = faults.firstLine;
  readonly #context: Pick<EdgeContext, 'scratch' | 'settings'>;
  #emptyLine = false;

  constructor(context: Pick<EdgeContext, 'scratch' | 'settings'>) {
    this.#context = context;
  }

  /**
   * The offset after what was read, INCOMPLETE or REFUSED. Everything is judged within the first `maxHeadBytes`, so that the verdict
   * does not depend on how bytes were cut.
   */
  read(buffer: Buffer, start: number, end: number): number {
    this.head = undefined;
    if (buffer[start] === CR && !this.#emptyLine) return this.#skipEmptyLine(buffer, start, end);
    const { scratch, settings } = this.#context;
    const window = Math.min(end, start + settings.maxHeadBytes);
    const next = scanRequest(buffer, start, window, scratch.request);
    if (next === REFUSED) return this.#refuse(scratch.request.fields.fault);
    if (next === INCOMPLETE)
      return window - start < settings.maxHeadBytes ? INCOMPLETE : this.#refuse(faults.headTooLarge);
    if (scratch.request.fieldsStart > settings.maxLineBytes) return this.#refuse(faults.targetTooLong);
    const head = readRequest(latin1(buffer, start, next), scratch.request);
    if (isFault(head)) return this.#refuse(head);
    this.head = head;
    this.#emptyLine = false;
    return next;
  }

  /** One empty line before a request is let pass (RFC 9112 §2.2). */
  #skipEmptyLine(buffer: Buffer, start: number, end: number): number {
    if (start + 1 === end) return INCOMPLETE;
    this.#emptyLine = true;
    return buffer[start + 1] === LF ? start + 2 : this.#refuse(faults.bareReturn);
  }

  #refuse(fault: Fault): number {
    this.fault = fault;
    return REFUSED;
  }
}
