import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6 } from 'node:net';
import { WeirError } from '../../core/kit/errors.ts';
import type { DnsQuestion } from '../handler.ts';
import type { Upstream } from '../options.ts';
import { decodeMessage, echoesQuestion } from '../wire/decode.ts';
import { DNSSEC_OK, edns } from '../wire/edns.ts';
import { encodeMessage } from '../wire/encode.ts';
import { mixCase } from '../wire/name-text.ts';
import { questionOf, readQuestion } from '../wire/question.ts';
import { FLAG, type Message, type Question } from '../wire/types.ts';

const udpSize = 1232;
const lengthBytes = 2;

/** An upstream did not answer in time, or not as DNS. Never leaves the resolver: the next one is tried. */
export class UpstreamFailed extends WeirError {
  constructor(upstream: Upstream, reason: string, cause?: unknown) {
    super('WEIR_DNS_UPSTREAM', `Cannot ask ${upstream.address} port ${upstream.port}: ${reason}`, { cause });
  }
}

/**
 * Asks one upstream, by UDP, and by TCP when the answer was cut. A reply counts only from the asked address, to our
 * random port, with our random id, repeating the question in the letter case we drew (dns.md §14.25).
 */
export async function askUpstream(
  upstream: Upstream,
  question: DnsQuestion,
  timeoutMs: number,
): Promise<Message> {
  const sent = queryFor(question);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const byUdp = await askUdp(upstream, sent, signal);
    return (byUdp.flags & FLAG.TC) === 0 ? byUdp : await askTcp(upstream, sent, signal);
  } catch (error) {
    throw new UpstreamFailed(
      upstream,
      signal.aborted ? `no answer within ${timeoutMs} ms` : String(error),
      error,
    );
  }
}

type Sent = { readonly id: number; readonly question: Question; readonly packet: Buffer };

function queryFor(question: DnsQuestion): Sent {
  const id = randomInt(0x10000);
  const message: Message = {
    id,
    flags: FLAG.RD,
    question: { name: question.name, type: question.type, class: question.class },
    answers: [],
    authorities: [],
    additionals: [],
    edns: edns(udpSize, { flags: question.dnssec ? DNSSEC_OK : 0 }),
  };
  const packet = encodeMessage(message);
  const read = readQuestion(packet);
  if (read.kind !== 'query') throw new TypeError('our own query cannot be read');
  const asked = questionOf(read);
  if (asked.raw !== undefined) mixCase(asked.raw, () => randomInt(2));
  return { id, question: asked, packet };
}

function replyIn(packet: Uint8Array, sent: Sent): Message | undefined {
  const read = decodeMessage(packet);
  if (read.kind !== 'message' || (read.message.flags & FLAG.QR) === 0) return undefined;
  return read.message.id === sent.id && echoesQuestion(sent.question, read.message)
    ? read.message
    : undefined;
}

async function askUdp(upstream: Upstream, sent: Sent, signal: AbortSignal): Promise<Message> {
  const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4');
  try {
    // connected: the kernel drops what comes from elsewhere, and tells when nobody listens there
    socket.connect(upstream.port, upstream.address);
    await once(socket, 'connect', { signal });
    const failed = once(socket, 'error', { signal }).then(([error]) => Promise.reject(error));
    const reply = new Promise<Message>((resolve) => {
      socket.on('message', (packet) => {
        const message = replyIn(packet, sent);
        if (message !== undefined) resolve(message);
      });
    });
    socket.send(sent.packet);
    return await Promise.race([reply, failed]);
  } finally {
    socket.close();
  }
}

async function askTcp(upstream: Upstream, sent: Sent, signal: AbortSignal): Promise<Message> {
  const socket = connect({ host: upstream.address, port: upstream.port, signal });
  try {
    const framed = Buffer.alloc(lengthBytes + sent.packet.length);
    framed.writeUInt16BE(sent.packet.length);
    framed.set(sent.packet, lengthBytes);
    socket.write(framed);
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      const end = bytes.length < lengthBytes ? Infinity : lengthBytes + bytes.readUInt16BE(0);
      if (bytes.length < end) continue;
      const message = replyIn(bytes.subarray(lengthBytes, end), sent);
      if (message !== undefined) return message;
      break;
    }
    throw new Error('the connection gave no reply to the question');
  } finally {
    socket.destroy();
  }
}
