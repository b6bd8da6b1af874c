/**
 * `idle.ts COUNT PORT`: so many connections, each of which is answered one request and then stays. Prints `ready` when they stand, and ends
 * with its standard input; then `{open, lost}`.
 */
import { connect, type Socket } from 'node:net';

const count = Number(process.argv[2] ?? 1_000);
const port = Number(process.argv[3] ?? 8_000);
const sockets: Socket[] = [];
let lost = 0;

function open(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port });
  sockets.push(socket);
  socket.write('GET / HTTP/1.1\r\nHost: edge.example\r\n\r\n');
  socket.once('data', () => resolve());
  socket.on('error', () => {});
  socket.on('close', () => {
    lost++;
    resolve();
  });
  return promise;
}

for (let made = 0; made < count; made += 200)
  await Promise.all(Array.from({ length: Math.min(200, count - made) }, open));
console.log('ready');
process.stdin.resume();
process.stdin.on('end', () => {
  console.log(JSON.stringify({ open: count - lost, lost }));
  process.exit(0);
});
