/**
 * The app behind the edge in these tests: as good or as bad as the path says. The first segment of a path is what it does, once for
 * each request; whatever it does not know is answered well.
 */
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

const body = 'hello\n';
const good = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const megabyte = Buffer.alloc(2 ** 20, 'x');

const deeds: Readonly<Record<string, (socket: Socket, head: string) => void>> = {
  /** A megabyte. */
  large(socket) {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${megabyte.length}\r\n\r\n`);
    socket.write(megabyte);
  },
  /** Dies in the middle of an answer of known length. */
  dies: (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
  /** Dies in the middle of a chunked answer. */
  'dies-chunked': (socket) =>
    void socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  /** Dies in the middle of a head. */
  'dies-early': (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Len'),
  /** Says nothing. */
  silent: () => {},
  /** Says half a head, and no more. */
  stalls: (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Len'),
  /** Says half an answer, and no more. */
  'stalls-later': (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'),
  garbage: (socket) => void socket.end('\x00\x01\x02 no HTTP at all\r\n\r\n'),
  'garbage-later': (socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n'),
  'two-lengths': (socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'),
  'head-without-end': (socket) => pour(socket, 'HTTP/1.1 200 OK\r\n', 'X: y\r\n'.repeat(100)),
  'interim-without-end': (socket) =>
    pour(socket, '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(20)),
  /** An answer that never ends, as fast as it is taken. */
  endless: (socket) =>
    pour(
      socket,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      `10000\r\n${'x'.repeat(65_536)}\r\n`,
    ),
  /** More than it promised: the rest must not be taken for the next answer. */
  'more-than-said': (socket) =>
    void socket.write(`${good}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen`),
  /** A WebSocket that sends back every frame of up to 125 bytes. */
  echo(socket, head) {
    const key = /^sec-websocket-key: *(.+?) *$/im.exec(head)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.removeAllListeners('data');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    echoFrames(socket);
  },
};

function pour(socket: Socket, first: string, more: string): void {
  socket.write(first);
  const next = () => {
    while (!socket.destroyed && socket.write(more, 'latin1'));
  };
  socket.on('drain', next);
  next();
}

function echoFrames(socket: Socket): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 6) {
      const length = rest[1]! & 0x7f;
      if (rest.length < 6 + length) return;
      const mask = rest.subarray(2, 6);
      const data = rest.subarray(6, 6 + length).map((byte, n) => byte ^ mask[n % 4]!);
      socket.write(Buffer.concat([Buffer.from([rest[0]!, length]), data]));
      rest = rest.subarray(6 + length);
    }
  });
}

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end + 2);
      text = text.slice(end + 4);
      const deed = /^\S+ \/([^/? ]*)/.exec(head)?.[1] ?? '';
      if (deeds[deed] === undefined) socket.write(good);
      else deeds[deed](socket, head);
    }
    // What is not a head is content; nothing here looks at it.
    if (text.length > 65_536) text = '';
  });
});
server.listen(Number(process.env['PORT0']), process.env['WEIR_ADDRESS'] ?? '0.0.0.0');
