import t, { type Test } from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import type { ReadinessCheck } from '../core/model/app.ts';
import { Instances } from './instances.ts';
import { ReadinessChecks } from './readiness.ts';
import { assignmentOf, keyOf, recordOf } from './testing/assignments.ts';
import { turns } from './testing/eventually.ts';
import { MemoryJournal } from './testing/memory-journal.ts';

const key = keyOf('a');

const check: ReadinessCheck = {
  name: 'warm',
  protocol: 'HTTP',
  path: '/ready',
  portName: 'http-api',
  intervalSeconds: 5,
  timeoutSeconds: 1,
  httpStatusCodesForReady: [200, 204],
  preserveLastResponse: false,
};

t.test('an instance is polled from when it runs until it is ready, and then never again', async (t) => {
  const world = await polling(t, check);
  await world.at(9);
  t.same(world.polled, [0, 5]);
  t.same(world.readiness(), { name: 'warm', ready: false });
  world.answer(204, 'fine');
  await world.at(60);
  t.same(world.polled, [0, 5, 10]);
  t.same(world.readiness(), { name: 'warm', ready: true });
});

t.test('the last response is kept for who asked for it', async (t) => {
  const world = await polling(t, { ...check, preserveLastResponse: true });
  await world.at(1);
  const lastResponse = { status: 503, contentType: 'text/plain', body: 'warming up' };
  t.same(world.readiness(), { name: 'warm', ready: false, lastResponse });
});

t.test('an app without a readiness check is not polled', async (t) => {
  const world = await polling(t);
  await world.at(60);
  t.same(world.polled, []);
  t.equal(world.readiness(), undefined);
});

async function polling(t: Test, ...readinessChecks: ReadinessCheck[]) {
  const clock = new FakeClock();
  const began = clock.now();
  const instances = new Instances(new MemoryJournal(), () => {});
  const assignment = assignmentOf('a', { app: { readinessChecks } });
  const running = { kind: 'running', since: began, addresses: [], health: [] } as const;
  await instances.put(key, recordOf('a', { assignment, state: running }));
  const polled: number[] = [];
  let response = { status: 503, contentType: 'text/plain', body: 'warming up' };
  const checks = new ReadinessChecks({
    instances,
    clock,
    poll: async () => {
      polled.push((clock.now() - began) / 1_000);
      return response;
    },
  });
  checks.follow();
  t.teardown(() => checks.stop());
  await turns();
  return {
    polled,
    answer: (status: number, body: string) => {
      response = { status, contentType: 'text/plain', body };
    },
    at: async (seconds: number) => {
      await clock.advance(began + seconds * 1_000 - clock.now());
      await turns();
    },
    readiness: () => {
      const state = instances.get(key)?.state;
      return state?.kind === 'running' ? state.readiness : undefined;
    },
  };
}
