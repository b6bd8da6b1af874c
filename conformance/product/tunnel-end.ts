import { connect, createServer, type Socket } from 'node:net';
import { errorCode } from '../../core/kit/errors.ts';

/** Runs inside a network namespace: carries connections of a Unix socket to where their first line says (`host port`). */
const path = process.argv[2] ?? '';
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', (line) => carry(socket, String(line).trim()));
});
server.listen(path, () => process.stdout.write('listening\n'));

function carry(near: Socket, line: string): void {
  const [host = '', port = ''] = line.split(' ');
  const far = connect({ host, port: Number(port), allowHalfOpen: true });
  let connected = false;
  far.once('connect', () => {
    connected = true;
    near.write('\n');
    near.pipe(far);
    far.pipe(near);
  });
  far.on('error', (error) => {
    if (!connected) near.write(`${errorCode(error) ?? 'ERROR'}\n`);
    near.destroySoon();
  });
  far.on('close', () => near.destroySoon());
  near.on('close', () => far.destroy());
}
