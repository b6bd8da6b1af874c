import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';

/** So much is handed on at once. */
const chunkLength = 64 * 1024;
/** After this everybody else has a turn. */
const sliceMs = 5;

/**
 * Answers with JSON made of pieces. A short one is one text. A long one is made as fast as the client reads it, and in
 * slices between which others are served: what its later pieces are made of may be newer than that of its first.
 */
export async function sendPieces(reply: FastifyReply, pieces: Iterable<string>): Promise<FastifyReply> {
  const slices = sliced(pieces);
  const first = await slices.next();
  const second = first.done === true ? first : await slices.next();
  reply.type('application/json');
  if (second.done === true) return reply.send(first.value ?? '');
  return reply.send(Readable.from(chain([first.value ?? '', second.value], slices), { objectMode: false }));
}

async function* chain(first: readonly string[], rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield* first;
  yield* rest;
}

async function* sliced(pieces: Iterable<string>): AsyncGenerator<string, undefined> {
  let [text, began] = ['', performance.now()];
  for (const piece of pieces) {
    text += piece;
    const isLate = performance.now() - began >= sliceMs;
    if (text.length < chunkLength && !isLate) continue;
    if (text.length >= chunkLength) {
      yield text;
      text = '';
    }
    if (!isLate) continue;
    await nextTurn();
    began = performance.now();
  }
  if (text !== '') yield text;
}

/** The pieces with something before and after. */
export function* enclosed(before: string, pieces: Iterable<string>, after: string): Iterable<string> {
  yield before;
  yield* pieces;
  yield after;
}
