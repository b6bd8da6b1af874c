import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { accepts } from './accepts.ts';

const compress = promisify(gzip);
const level = 3;
/** Below this a packet is not saved. */
const worthwhileBytes = 1_024;

/** Answers are compressed for clients that ask for it (Marathon §1.1). Event streams write past this. */
export function compressAnswers(server: FastifyInstance): void {
  server.addHook('onSend', async (request, reply, payload) => {
    const wanted = request.headers['accept-encoding'];
    const isLong = payload instanceof Readable;
    if (!isLong && (typeof payload !== 'string' || payload.length < worthwhileBytes)) return payload;
    reply.header('vary', 'accept-encoding');
    if (wanted === undefined || !accepts(wanted, 'gzip')) return payload;
    if (isLong) {
      reply.header('content-encoding', 'gzip');
      // Whoever sends it hears of a fault at its end.
      return pipeline(payload, createGzip({ level }), () => {});
    }
    const packed = await compress(payload, { level });
    reply.headers({ 'content-encoding': 'gzip', 'content-length': packed.length });
    return packed;
  });
}
