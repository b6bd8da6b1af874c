import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { accepts } from './accepts.ts';

const compress = promisify(gzip);
/** Below this a packet is not saved. */
const worthwhileBytes = 1_024;

/** Answers are compressed for clients that ask for it (Marathon §1.1). Event streams write past this. */
export function compressAnswers(server: FastifyInstance): void {
  server.addHook('onSend', async (request, reply, payload) => {
    const wanted = request.headers['accept-encoding'];
    if (typeof payload !== 'string' || payload.length < worthwhileBytes) return payload;
    reply.header('vary', 'accept-encoding');
    if (wanted === undefined || !accepts(wanted, 'gzip')) return payload;
    const packed = await compress(payload, { level: 3 });
    reply.headers({ 'content-encoding': 'gzip', 'content-length': packed.length });
    return packed;
  });
}
