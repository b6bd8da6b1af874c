import fc from 'fast-check';
import t from 'tap';
import type { App } from '../../core/model/app.ts';
import type { AppDraft } from './normalise.ts';
import { parseApp } from './parse-app.ts';
import { assignServicePorts, servicePorts } from './service-ports.ts';

const range = { begin: 10_000, end: 20_000 };

function host(...ports: number[]): AppDraft {
  const parsed = parseApp({ id: '/a', cmd: 'run', portDefinitions: ports.map((port) => ({ port })) });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
  return parsed.value;
}

function stored(...ports: number[]): App {
  return { ...host(...ports), version: 'v', versionInfo: { lastScalingAt: 'v', lastConfigChangeAt: 'v' } };
}

type Given = { previous?: App; taken?: readonly number[]; range?: typeof range };

function assigned(draft: AppDraft, given: Given = {}): readonly number[] | undefined {
  const options = { range, ...given, previous: given.previous, taken: new Set(given.taken ?? []) };
  const result = assignServicePorts(draft, options);
  return result === undefined ? undefined : servicePorts(result);
}

t.test('a port of 0 gets the lowest number that is not taken', async (t) => {
  t.same(assigned(host(0)), [10_000]);
  t.same(assigned(host(0, 0), { taken: [10_000, 10_002] }), [10_001, 10_003]);
});

t.test('a number that was asked for is taken as it is, and never assigned beside it', async (t) => {
  t.same(assigned(host(0, 10_000, 80)), [10_001, 10_000, 80]);
  t.same(assigned(host(80), { taken: [80] }), [80]);
});

t.test('an app that is updated keeps the numbers it had, in order', async (t) => {
  t.same(assigned(host(0, 0), { previous: stored(10_007, 10_003), taken: [10_000] }), [10_007, 10_003]);
  t.same(assigned(host(0, 0, 0), { previous: stored(10_007) }), [10_007, 10_000, 10_001]);
  t.same(assigned(host(10_007, 0), { previous: stored(10_007) }), [10_007, 10_000]);
});

t.test('mappings are assigned like definitions', async (t) => {
  const container = { type: 'MESOS', portMappings: [{ containerPort: 80 }, { servicePort: 90 }] };
  const parsed = parseApp({ id: '/a', cmd: 'run', networks: [{ name: 'n' }], container });
  t.same(parsed.ok && assigned(parsed.value), [10_000, 90]);
});

t.test('a range that is used up assigns nothing', async (t) => {
  t.equal(assigned(host(0, 0), { range: { begin: 10, end: 12 }, taken: [10] }), undefined);
});

t.test('assigned numbers are inside the range, different, and not taken', async (t) => {
  const small = { begin: 10, end: 20 };
  const ports = fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 6 });
  const taken = fc.uniqueArray(fc.integer({ min: 5, max: 25 }));
  fc.assert(
    fc.property(ports, taken, (asked, others) => {
      const draft = host(...asked.map((one, index) => (one === 0 ? 0 : 12 + index)));
      const result = assigned(draft, { taken: others, range: small });
      const zeros = asked.filter((one) => one === 0).length;
      if (result === undefined) return zeros > 0;
      const given = result.filter((_, index) => asked[index] === 0);
      const isGood = (port: number) => port >= 10 && port < 20 && !others.includes(port);
      return given.every(isGood) && new Set(result).size === asked.length;
    }),
  );
  t.pass();
});
