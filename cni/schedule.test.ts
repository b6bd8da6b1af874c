import fc from 'fast-check';
import t from 'tap';
import { type Claim, createSchedule } from './schedule.ts';

/** A schedule whose operations end when the test says so. */
function observed(limit: number) {
  const schedule = createSchedule(limit);
  const running = new Map<string, () => void>();
  const done: Promise<void>[] = [];
  return {
    running: () => [...running.keys()],
    start(name: string, claim: Claim) {
      done.push(schedule.run(claim, () => new Promise<void>((resolve) => void running.set(name, resolve))));
    },
    async finish(name: string) {
      running.get(name)?.();
      running.delete(name);
      await turn();
    },
    all: () => Promise.all(done),
  };
}

/** Lets everything that is ready run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

t.test('schedule runs one operation of a container at a time, in the order asked (R44, R46)', async (t) => {
  const s = observed(9);
  s.start('1', { containerId: 'c', network: 'blue' });
  s.start('2', { containerId: 'c', network: 'green' });
  s.start('3', { containerId: 'c', network: 'blue' });
  t.same(s.running(), ['1']);
  await s.finish('1');
  t.same(s.running(), ['2']);
  await s.finish('2');
  t.same(s.running(), ['3']);
});

t.test('schedule runs different containers beside each other up to the limit (R45)', async (t) => {
  const s = observed(2);
  for (const name of ['1', '2', '3']) s.start(name, { containerId: name, network: 'blue' });
  t.same(s.running(), ['1', '2']);
  await s.finish('2');
  t.same(s.running(), ['1', '3']);
});

t.test('schedule keeps an exclusive operation alone on its network (R34)', async (t) => {
  const s = observed(9);
  s.start('add', { containerId: 'a', network: 'blue' });
  s.start('gc', { network: 'blue', exclusive: true });
  s.start('later', { containerId: 'b', network: 'blue' });
  s.start('other', { containerId: 'c', network: 'green' });
  t.same(s.running(), ['add', 'other'], 'GC waits for what runs, what comes later waits for GC');
  await s.finish('add');
  t.same(s.running(), ['other', 'gc']);
  await s.finish('gc');
  t.same(s.running(), ['other', 'later']);
});

t.test('schedule goes on after an operation that fails', async (t) => {
  const schedule = createSchedule(1);
  const claim = { containerId: 'c' };
  await t.rejects(
    schedule.run(claim, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  t.equal(await schedule.run(claim, async () => 'yes'), 'yes');
});

const claims = fc.array(
  fc.record<Claim>(
    {
      containerId: fc.constantFrom('a', 'b', 'c'),
      network: fc.constantFrom('x', 'y'),
      exclusive: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  { maxLength: 12 },
);

t.test('schedule runs everything once and never two that conflict', async () => {
  await fc.assert(
    fc.asyncProperty(
      claims,
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(11)),
      async (wanted, limit, choices) => {
        const s = observed(limit);
        wanted.forEach((claim, index) => void s.start(String(index), claim));
        for (let ended = 0; ended < wanted.length; ended += 1) {
          const running = s.running();
          if (
            running.length === 0 ||
            running.length > limit ||
            conflict(running.map((name) => wanted[Number(name)]!))
          )
            return false;
          await s.finish(running[(choices[ended] ?? 0) % running.length] ?? '');
        }
        await s.all();
        return true;
      },
    ),
  );
});

function conflict(running: readonly Claim[]): boolean {
  return running.some((a, i) => running.some((b, j) => i < j && meets(a, b)));
}

function meets(a: Claim, b: Claim): boolean {
  if (a.containerId !== undefined && a.containerId === b.containerId) return true;
  return a.network !== undefined && a.network === b.network && (a.exclusive === true || b.exclusive === true);
}
