import type { Socket } from 'node:net';
import { BlockList } from 'node:net';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import t from 'tap';
import { FakeClock } from '../../../core/kit/fake-clock.ts';
import { Passwords } from '../access/basic-auth.ts';
import type { EdgeContext } from '../context.ts';
import { ClientConnection } from '../request/client-connection.ts';
import { HttpDate } from '../request/http-date.ts';
import { buildTable } from '../routes/route-table.ts';
import { defaultSettings } from '../settings.ts';
import { Counters } from '../telemetry/counters.ts';
import { directory } from '../testing/peers.ts';
import { Upstreams } from '../upstream/upstreams.ts';
import { Deadlines } from './deadlines.ts';
import { createScratch } from './scratch.ts';
import { Wire } from './wire.ts';

/** Requests of every kind in a row; `web.test` has no endpoint, so every request is answered by the edge itself. */
const requests = [
  'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'HEAD /a HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: nobody.test\r\nX: y\r\n\r\n',
  '\r\nGET / HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/3.0\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
  'GE\x01T / HTTP/1.1\r\nHost: web.test\r\n\r\n',
  'GET / HTTP/1.1\nHost: web.test\n\n',
  '\r\n\r\nGET / HTTP/1.1\r\nHost: web.test\r\n\r\n',
  `GET / HTTP/1.1\r\nHost: web.test\r\n${'A: b\r\n'.repeat(130)}\r\n`,
  `GET / HTTP/1.1\r\nHost: web.test\r\nX: ${'y'.repeat(33_000)}\r\n\r\n`,
];

/** What a connection answers to these pieces, each in memory that is overwritten afterwards. */
function answers(pieces: readonly Buffer[]): string {
  const settings = { ...defaultSettings };
  const clock = new FakeClock();
  const table = buildTable(directory(1, []));
  const base = {
    settings,
    clock,
    counters: new Counters(),
    deadlines: new Deadlines(clock),
    date: new HttpDate(clock),
    certificate: () => undefined,
    scratch: createScratch(settings.maxFields),
    trusted: new BlockList(),
    passwords: new Passwords(),
    servedTogether: () => true,
    forwardAuths: { ask: () => Promise.reject(new Error('nobody is asked here')) },
    requestId: () => 'id',
    chance: () => 0,
    table: () => table,
    accessLog: undefined,
  };
  const upstreams = new Upstreams(base, {
    balancer: () => ({ choose: () => undefined, settled() {} }),
    chance: () => 0,
  });
  upstreams.apply(table);
  const context: EdgeContext = { ...base, upstreams };
  let written = '';
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      written += chunk.toString('latin1');
      done();
    },
  });
  const connection = new ClientConnection(context, {
    scheme: 'http',
    port: 80,
    scope: '',
    open: (user) => new Wire(socket as unknown as Socket, user),
    onClosed: () => {},
    onHttp2: () => {},
  });
  for (const piece of pieces) {
    const memory = Buffer.from(piece);
    connection.bytes(memory, memory.length);
    memory.fill(0);
  }
  connection.closed();
  return written;
}

function cut(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const bounds = [...new Set([0, ...cuts.map((c) => c % bytes.length), bytes.length])].sort((a, b) => a - b);
  return bounds.slice(1).map((bound, i) => bytes.subarray(bounds[i], bound));
}

t.test('a connection answers the same however its bytes are cut', async () => {
  const pipeline = fc.array(fc.constantFrom(...requests), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(pipeline, fc.array(fc.nat(), { maxLength: 40 }), (list, cuts) => {
      const text = list.join('');
      return answers(cut(text, cuts)) === answers([Buffer.from(text, 'latin1')]);
    }),
    { numRuns: 400 },
  );
});

t.test('a connection answers the same when every byte comes alone', async (t) => {
  for (const request of requests) {
    const text = request + requests[0];
    const single = cut(
      text,
      [...text].map((_, i) => i),
    );
    t.equal(answers(single), answers([Buffer.from(text, 'latin1')]), request.slice(0, 60));
  }
});

t.test('a connection with one damaged byte answers the same however its bytes are cut', async () => {
  const text = requests[0]! + requests[1]! + requests[2]!;
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.nat(255),
      fc.array(fc.nat(), { maxLength: 20 }),
      (at, byte, cuts) => {
        const damaged = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
        return answers(cut(damaged, cuts)) === answers([Buffer.from(damaged, 'latin1')]);
      },
    ),
    { numRuns: 1_000 },
  );
});
