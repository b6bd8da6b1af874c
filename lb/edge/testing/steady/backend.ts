/**
 * A service for long measurements: answers each request, and sends back what comes after an upgrade. Prints its ports.
 * `backend.ts COUNT [FIRST-PORT]`; without a first port any free ones.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n';
const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const isUpgrade = /\r\nUpgrade: websocket\r\n/i;

function serve(socket: Socket): void {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 2);
      text = text.slice(end + 4);
      if (!isUpgrade.test(head)) socket.write(answer);
      else {
        socket.removeAllListeners('data');
        socket.write(agreed);
        socket.pipe(socket);
        return;
      }
    }
  });
}

const servers = Array.from({ length: Number(process.argv[2] ?? 1) }, () =>
  createServer({ noDelay: true }, serve),
);
const first = Number(process.argv[3] ?? 0);
for (const [n, server] of servers.entries())
  await once(server.listen(first === 0 ? 0 : first + n, '127.0.0.1'), 'listening');
console.log(JSON.stringify(servers.map((server) => (server.address() as AddressInfo).port)));
// It does not outlive whoever started it.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
