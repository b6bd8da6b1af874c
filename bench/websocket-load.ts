/** `websocket-load.ts PORT HOST CONNECTIONS SECONDS`: upgraded connections, each with one message on its way. Prints how many came back. */
import { connect } from 'node:net';

const [port, host, connections, seconds] = process.argv.slice(2);
const message = Buffer.alloc(64, 'm');
const upgrade = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n`;
let echoes = 0;

function open(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
  let waiting = 0;
  socket.write(upgrade);
  socket.once('data', (bytes: Buffer) => {
    if (!bytes.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error(`no upgrade: ${bytes}`));
    resolve();
    const next = () => {
      waiting = message.length;
      socket.write(message);
    };
    socket.on('data', (piece: Buffer) => {
      waiting -= piece.length;
      if (waiting > 0) return;
      echoes++;
      next();
    });
    next();
  });
  socket.on('error', reject);
  return promise;
}

await Promise.all(Array.from({ length: Number(connections) }, open));
setTimeout(() => {
  console.log(echoes);
  process.exit(0);
}, Number(seconds) * 1_000);
