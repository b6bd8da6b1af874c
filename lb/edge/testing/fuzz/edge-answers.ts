import type { ResponseHead } from '../../http1/response-head.ts';
import type { Slices } from '../../http1/slices.ts';
import { AnswerReader, type AnswerUser } from '../../request/answer-reader.ts';
import { forwardInterim, forwardResponse } from '../../request/forward.ts';
import { defaultSettings } from '../../settings.ts';
import { createScratch, type Scratch } from '../../wire/scratch.ts';

/** What became of an endpoint's answer to one request, when the endpoint closed after it. */
export type EdgeAnswer = {
  /** `broken`: begun, and then not completed. */
  readonly ending: 'complete' | 'broken' | 'unreadable' | 'switching' | 'none';
  /** The final answer's; 0: there is none. */
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Bytes for the client, one character each. */
  readonly forwarded: string;
};

/** Reads answers as the edge does, for a client of HTTP/1.1, but without sockets. */
export class EdgeAnswers {
  readonly #scratch = createScratch(defaultSettings.maxFields);

  /** `cuts`: where the bytes come apart, ascending. */
  read(bytes: Buffer, cuts: readonly number[], method: string): EdgeAnswer {
    const reader = new Answer(this.#scratch, method);
    const { readBuffer } = this.#scratch;
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      if (to === from) continue;
      bytes.copy(readBuffer, 0, from, to);
      reader.take(readBuffer, to - from);
      from = to;
    }
    reader.ended();
    return reader;
  }
}

class Answer implements AnswerUser, EdgeAnswer {
  ending: EdgeAnswer['ending'] = 'none';
  status = 0;
  fields: readonly (readonly [string, string])[] = [];
  forwarded = '';
  readonly #reader: AnswerReader;
  #isOver = false;

  constructor(scratch: Scratch, method: string) {
    this.#reader = new AnswerReader({ scratch, settings: defaultSettings }, method, this);
  }

  take(buffer: Buffer, length: number): void {
    if (!this.#isOver) this.#reader.bytes(buffer, length);
  }

  ended(): void {
    if (this.#isOver || this.status === 0) return;
    this.ending = this.#reader.framing === 'close' ? 'complete' : 'broken';
  }

  interim(head: ResponseHead): void {
    this.forwarded += forwardInterim(head);
  }

  switching(): void {
    this.#end('switching');
  }

  declines(): boolean {
    return false;
  }

  contentAs(): 'coded' {
    return 'coded';
  }

  begun(head: ResponseHead, buffer: Buffer, content: Slices): void {
    const { text, fields } = head;
    const { framing } = this.#reader;
    this.status = head.status;
    this.fields = Array.from({ length: fields.count }, (_, i) => [
      fields.name(text, i),
      fields.value(text, i),
    ]);
    const facts = { framing, clientMinor: 1, keepAlive: framing !== 'close', endpoint: '' } as const;
    this.forwarded += forwardResponse(head, {
      ...facts,
      edits: undefined,
      encoding: undefined,
      date: undefined,
    });
    this.content(buffer, content);
  }

  content(buffer: Buffer, content: Slices): void {
    this.forwarded += content.copy(buffer).toString('latin1');
  }

  unfinished(): void {}

  completed(): void {
    this.#end('complete');
  }

  unreadable(): void {
    this.#end(this.status === 0 ? 'unreadable' : 'broken');
  }

  #end(ending: EdgeAnswer['ending']): void {
    this.ending = ending;
    this.#isOver = true;
  }
}
