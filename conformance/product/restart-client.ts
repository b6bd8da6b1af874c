import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs where the edge is: connections that are kept upgraded, and requests at a steady rate, each on a connection of its own, until its
 * standard input ends. Prints a dot for each hundred requests, in the end one line of JSON.
 */
const [port = '8000', upgraded = '50', perSecond = '500'] = process.argv.slice(2);
const failures: string[] = [];

async function open(): Promise<Socket> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Resolves with what came once it has this part; rejects when the connection ends before. */
function until(socket: Socket, part: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  const take = (data: Buffer) => {
    text += data.toString('latin1');
    if (text.includes(part)) resolve(text);
  };
  socket.on('data', take);
  socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(text.slice(0, 80))}`)));
  socket.once('error', reject);
  return promise.finally(() => socket.off('data', take));
}

const head = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: edge.example\r\n${more}\r\n`;

async function upgrade(): Promise<Socket> {
  const socket = await open();
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
  socket.write(head('/echo', `Connection: Upgrade\r\nUpgrade: websocket\r\n${key}`));
  await until(socket, '101 Switching');
  return socket;
}

/** A masked text frame of four bytes, and the frame that comes back. */
const frame = Buffer.from([0x81, 0x84, 0, 0, 0, 0, ...Buffer.from('ping')]);

async function ask(): Promise<void> {
  const socket = await open();
  try {
    socket.write(head('/', 'Connection: close\r\n'));
    const answer = await until(socket, '\r\n\r\n');
    if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer.slice(0, 40));
  } finally {
    socket.destroy();
  }
}

const sockets = await Promise.all(Array.from({ length: Number(upgraded) }, upgrade));
let over = false;
process.stdin.resume().once('end', () => {
  over = true;
});
const pending = new Set<Promise<void>>();
const startedAt = performance.now();
let sent = 0;
while (!over && sent < 60_000) {
  const early = startedAt + (sent * 1_000) / Number(perSecond) - performance.now();
  if (early > 1) await pause(early);
  const at = Math.round(performance.now() - startedAt);
  sent++;
  if (sent % 100 === 0) process.stdout.write('.\n');
  const one = ask().catch((error: unknown) => void failures.push(`at ${at} ms: ${String(error)}`));
  pending.add(one);
  void one.finally(() => pending.delete(one));
}
await Promise.all(pending);
const alive = await Promise.all(
  sockets.map(async (socket) => {
    socket.write(frame);
    return until(socket, 'ping').then(
      () => true,
      () => false,
    );
  }),
);
for (const socket of sockets) socket.destroy();
process.stdout.write(
  `${JSON.stringify({ sent, failures: failures.slice(0, 10), failed: failures.length, alive: alive.filter(Boolean).length })}\n`,
);
