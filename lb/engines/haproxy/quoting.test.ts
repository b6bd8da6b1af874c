import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { Route } from '../../../core/model/route.ts';
import { comparablePath } from '../../edge/routes/comparable-path.ts';
import { buildTable } from '../../edge/routes/route-table.ts';
import { answerEcho, askFor, fieldOf } from '../../edge/testing/echo.ts';
import { directory, endpoint, RecordingBackend, route } from '../../edge/testing/peers.ts';
import { HaproxyEngine } from './haproxy.ts';

/** As the API lets them through (core/model/route-shapes.ts). */
const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 30,
});
const fieldValue = fc
  .tuple(
    visible,
    fc.string({
      unit: fc.constantFrom(' ', '\t', '%', '"', "'", '\\', '#', '$', '}', '{', '[', ']', ';', '-', 'a'),
      maxLength: 20,
    }),
    visible,
  )
  .map((parts) => parts.join(''));
const path = fc
  .string({
    unit: fc
      .integer({ min: 0x21, max: 0x7e })
      .map((code) => String.fromCharCode(code))
      .filter((one) => !/[#?]/.test(one)),
    maxLength: 20,
  })
  .map((rest) => `/${rest}`);
const anyText = fc
  .string({ unit: 'binary', maxLength: 60 })
  .map((text) => text.replaceAll('\u0000', '?').toWellFormed());

type Sample = {
  readonly request: string;
  readonly answer: string;
  readonly path: string;
  readonly realm: string;
  readonly page: string;
};

const sample: fc.Arbitrary<Sample> = fc.record({
  request: fieldValue,
  answer: fieldValue,
  path,
  realm: fieldValue,
  page: anyText,
});

t.test(
  'what routes say reaches requests and answers as it was said, whatever HAProxy would make of it',
  async (t) => {
    const warnings: string[] = [];
    const engine = new HaproxyEngine(
      { clock: systemClock, warn: (text) => warnings.push(text) },
      { httpPort: 0, stopMs: 100, slowStartMs: 0 },
    );
    const backend = new RecordingBackend(answerEcho('one'));
    const place = endpoint({ id: 'web-1', port: await backend.start() });
    await engine.start();
    t.teardown(async () => {
      await engine.stop();
      await backend.stop();
    });
    const samples = fc.sample(sample, { numRuns: 120, seed: 42 });
    const routes = samples.flatMap((one, n) => routesOf(one, n));
    await engine.apply(buildTable(directory(1, [place], routes)));
    t.same(warnings, [], 'HAProxy takes all of it');
    const port = engine.listening[0]!.port;
    for (const [n, one] of samples.entries()) {
      const told = await askFor(port, { host: `f${n}.test` });
      t.equal(fieldOf(told.body, 'x-in'), one.request);
      t.equal(fieldOf(told.head, 'x-out'), one.answer);
      const page = await askFor(port, { host: `m${n}.test` });
      t.equal(Buffer.from(page.body, 'latin1').toString(), one.page);
      // One that is compared as something else cannot be asked for as it is.
      if (comparablePath(one.path) !== one.path || /%|\\|["<>^`{|}]/.test(one.path)) continue;
      t.equal((await askFor(port, { host: `p${n}.test`, path: one.path })).status, 200, one.path);
      t.equal((await askFor(port, { host: `p${n}.test`, path: `${one.path}~` })).status, 404);
    }
  },
);

function routesOf({ request, answer, page, path: one, realm }: Sample, n: number): readonly Route[] {
  const auth = {
    realm: realm.replace(/["\\\t]/g, ''),
    user: `u${n}`,
    crypted: '$5$saltstring$OH4IDuTlsuTYPdED1gsuiRMyTAwNlRWyA6Xr3I4/dQ5',
  };
  return [
    {
      ...route({ host: `f${n}.test` }),
      options: { requestFields: { set: { 'X-In': request } }, answerFields: { set: { 'X-Out': answer } } },
    },
    { ...route({ host: `m${n}.test` }), options: { maintenance: { text: page, contentType: 'text/html' } } },
    { ...route({ host: `p${n}.test`, pathPrefix: one }), pathKind: 'exact' },
    { ...route({ host: `r${n}.test`, pathPrefix: one }), options: { auth, rewritePath: { prefix: one } } },
    {
      ...route({ host: `c${n}.test`, pathPrefix: one }),
      conditions: { headers: [{ name: 'x-c', exact: answer.replace(/\t/g, ' ') }] },
    },
  ];
}
