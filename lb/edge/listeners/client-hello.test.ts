import fc from 'fast-check';
import t from 'tap';
import { scanHello } from './client-hello.ts';

function vector(lengthBytes: number, bytes: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(bytes.length, 0, lengthBytes);
  return Buffer.concat([length, bytes]);
}

function extension(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(type);
  return Buffer.concat([head, vector(2, data)]);
}

function nameExtension(name: string): Buffer {
  return extension(0, vector(2, Buffer.concat([Buffer.of(0), vector(2, Buffer.from(name, 'latin1'))])));
}

function hello(extensions: readonly Buffer[] | undefined): Buffer {
  const body = Buffer.concat([
    Buffer.of(3, 3),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 1)),
    vector(2, Buffer.of(0x13, 1)),
    vector(1, Buffer.of(0)),
    ...(extensions === undefined ? [] : [vector(2, Buffer.concat(extensions))]),
  ]);
  return Buffer.concat([Buffer.of(1), vector(3, body)]);
}

/** The message in records of these lengths. */
function records(message: Buffer, lengths: readonly number[] = []): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, message.length]) {
    const part = message.subarray(at, at + length);
    if (part.length > 0) parts.push(Buffer.of(22, 3, 1), vector(2, part));
    at += part.length;
  }
  return Buffer.concat(parts);
}

const named = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}\.){0,3}[a-z0-9]{1,8}$/);

t.test('the name is found however the hello is cut into records and segments', async () => {
  fc.assert(
    fc.property(
      named,
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 4 }),
      fc.nat(400),
      (name, lengths, cut) => {
        const bytes = records(
          hello([extension(43, Buffer.of(2, 3, 4)), nameExtension(name.toUpperCase())]),
          lengths,
        );
        t.strictSame(scanHello(bytes), { kind: 'hello', hello: { serverName: name, protocols: [] } });
        t.strictSame(scanHello(Buffer.concat([bytes, Buffer.from('more')])).kind, 'hello');
        if (cut < bytes.length) t.equal(scanHello(bytes.subarray(0, cut)).kind, 'incomplete');
      },
    ),
    { numRuns: 300 },
  );
});

t.test('whatever comes, there is an answer, and it stays the same when more follows', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(299), fc.nat(255), (random, at, value) => {
      const good = records(hello([nameExtension('a.test')]));
      const bent = Buffer.from(good);
      bent[at % bent.length] = value;
      for (const bytes of [Buffer.from(random), bent]) {
        const whole = scanHello(bytes);
        const part = scanHello(bytes.subarray(0, at));
        if (part.kind !== 'incomplete') t.strictSame(part, whole);
      }
    }),
    { numRuns: 2_000 },
  );
});

for (const [what, bytes, expected] of [
  [
    'no extensions',
    records(hello(undefined)),
    { kind: 'hello', hello: { serverName: undefined, protocols: [] } },
  ],
  ['no name', records(hello([])), { kind: 'hello', hello: { serverName: undefined, protocols: [] } }],
  [
    'a trailing dot',
    records(hello([nameExtension('a.test.')])),
    { kind: 'hello', hello: { serverName: 'a.test', protocols: [] } },
  ],
  ['two names', records(hello([nameExtension('a'), nameExtension('b')])), { kind: 'unreadable' }],
  ['an empty name', records(hello([nameExtension('')])), { kind: 'unreadable' }],
  ['a name that is none', records(hello([nameExtension('a|b')])), { kind: 'unreadable' }],
  ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n'), { kind: 'unreadable' }],
  ['an alert', Buffer.of(21, 3, 1, 0, 2, 1, 0), { kind: 'unreadable' }],
  ['a record that is too long', Buffer.of(22, 3, 1, 0x7f, 0xff), { kind: 'unreadable' }],
  ['a hello that is too long', Buffer.of(22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff), { kind: 'unreadable' }],
  ['nothing', Buffer.alloc(0), { kind: 'incomplete' }],
] as const)
  t.test(`of ${what} the answer is as it must be`, async (t) => t.strictSame(scanHello(bytes), expected));
