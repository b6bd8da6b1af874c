import fc from 'fast-check';
import t from 'tap';
import { LineCutter } from './lines.ts';
import { requestFields, streamFields } from './log-lines.ts';
import { recordOf } from './record.ts';

const names = { routeOf: () => 'r', endpointOf: () => 'e', listenerOf: () => undefined, now: () => 5_000 };

/** A line with these values, and `-` for all others. */
function lineOf(fields: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>): string {
  const kind = fields['kind'] ?? '';
  return Object.keys(fields)
    .map((name) => (name === 'kind' ? kind : (values[name] ?? '-')))
    .join(' ');
}

t.test('a line is read back as the request that it tells of', async (t) => {
  const line = lineOf(requestFields, {
    ...{ at: '1700000000123', peer: '::ffff:192.0.2.7', secure: '1', protocol: 'HTTP/2.0', tls: 'TLSv1.3' },
    ...{ host: 'a%C3%A9%20.test', method: 'GET', target: '%2Fa%3Fb%3Fc', status: '200', end: '--' },
    ...{ headMs: '2', waitMs: '1', connectMs: '3', answerMs: '4', activeMs: '30', bytesIn: '10' },
    ...{ bytesOut: '+20', server: 's0123456789ab', retries: '+2' },
  });
  t.match(recordOf(line, names), {
    ...{ begunAt: 1_700_000_000_123, client: '192.0.2.7', scheme: 'https', protocol: 'HTTP/2.0' },
    ...{ host: 'a\u00c3\u00a9 .test', path: '/a', query: 'b?c', status: 200, connectMs: 3, firstByteMs: 8 },
    ...{ totalMs: 28, bytesIn: 10, bytesOut: 20, endpoint: 'e', retries: 2, why: undefined },
  });
});

for (const [end, status, why] of [
  ['--', 200, undefined],
  ['--', 503, undefined],
  ['CD', 200, 'client-gone'],
  ['cD', 200, 'client-gone'],
  ['CH', -1, 'client-gone'],
  ['SD', 200, 'answer-broken'],
  ['sD', 200, 'answer-broken'],
  ['SH', 502, 'The service did not answer properly.'],
  ['sH', 504, 'The service did not answer in time.'],
  ['SC', 503, 'The service has no instance that takes requests now.'],
  ['cR', 408, 'The request did not come in time.'],
  ['PR', 400, 'The request is malformed.'],
] as const)
  t.test(`an end of ${end} with ${status} is told as ${why}`, async (t) => {
    const record = recordOf(lineOf(requestFields, { end, status: String(status), method: 'GET' }), names);
    t.equal(record?.why, why);
    t.equal(record?.status, Math.max(0, status));
  });

t.test('whatever a line says it is read or left out, never an error', async () => {
  const value = fc.oneof(
    fc.constantFrom('-', '-1', '+3', '%', '%zz', '<BADREQ>'),
    fc.string({ unit: 'binary' }),
  );
  for (const fields of [requestFields, streamFields])
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(fields)), value), (values) => {
        const record = recordOf(lineOf(fields, values), names);
        if (record !== undefined) new Date(record.begunAt).toISOString();
      }),
    );
  fc.assert(fc.property(fc.string(), (line) => void recordOf(line, names)));
});

t.test('lines are the same however they come in pieces', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 9 })), fc.array(fc.nat(20)), (texts, sizes) => {
      const lines = texts.map((text) => text.replaceAll('\n', ''));
      const heard: string[] = [];
      const cutter = new LineCutter(100, (line) => heard.push(line));
      let rest = lines.map((line) => `${line}\n`).join('');
      for (const size of sizes) {
        cutter.take(rest.slice(0, size));
        rest = rest.slice(size);
      }
      cutter.take(rest);
      t.same(heard, lines);
    }),
    { numRuns: 50 },
  );
});

t.test('of a line that is too long only its end is told, which is no line', async (t) => {
  const heard: string[] = [];
  const cutter = new LineCutter(10, (line) => heard.push(line));
  for (const text of ['n 1234', '56789abc', 'end\nn 1\n']) cutter.take(text);
  t.same(heard, [' end', 'n 1']);
  t.equal(recordOf(heard[0]!, names), undefined);
});
