import t from 'tap';
import type { Placement } from '../core/model/placement.ts';
import type { Write } from '../core/state/store.ts';
import { Attempts } from './attempts.ts';
import type { Waiting } from './decision.ts';
import type { RefusalReason } from './place.ts';

t.test('refusals add up over the rounds that tried, launches count as used', async (t) => {
  const attempts = new Attempts();
  const first = outcome('InsufficientCpus', 'InsufficientMemory');
  attempts.note(new Map([['/a', first]]), [launch('/a', 10), launch('/other', 10)], 10);
  attempts.note(new Map([['/a', first]]), [], 20);
  t.match(attempts.all.get('/a'), { since: 10, used: 1, lastUsedAt: 10, unused: 2, lastUnusedAt: 10 });
  attempts.note(new Map([['/a', outcome('InsufficientCpus')]]), [], 30);
  const { refused, ...counts } = attempts.all.get('/a')!;
  t.same(counts, { since: 10, used: 1, lastUsedAt: 10, unused: 3, lastUnusedAt: 30 });
  t.same(
    [...refused],
    [
      ['InsufficientCpus', 2],
      ['InsufficientMemory', 1],
    ],
  );
});

t.test('an app that waits no more is forgotten, and begins anew', async (t) => {
  const attempts = new Attempts();
  attempts.note(new Map([['/a', outcome('InsufficientCpus')]]), [], 10);
  attempts.note(new Map(), [], 20);
  t.equal(attempts.all.size, 0);
  attempts.note(new Map<string, Waiting>([['/a', { kind: 'backoff', count: 1, until: 99 }]]), [], 30);
  t.match(attempts.all.get('/a'), { since: 30, unused: 0 });
});

t.test('in one round only so many agents are counted', async (t) => {
  const attempts = new Attempts();
  const many = (): Waiting => outcome(...Array.from({ length: 8_000 }, () => 'InsufficientCpus' as const));
  const waiting = new Map(['/a', '/b', '/c'].map((app) => [app, many()]));
  const unused = () => [...attempts.all.values()].map((attempt) => attempt.unused);
  attempts.note(waiting, [], 10);
  t.same(unused(), [8_000, 8_000, 0]);
  attempts.note(waiting, [], 20);
  t.same(unused(), [8_000, 8_000, 8_000]);
});

function outcome(...reasons: RefusalReason[]): Waiting {
  const refusals = reasons.map((reason, index) => ({ agentId: `h${index}`, reason, detail: '' }));
  return { kind: 'no-agent', count: 1, refusals, nearest: undefined };
}

function launch(appId: string, createdAt: number): Write {
  const value = { appId, createdAt, goal: 'run' } as Placement;
  return { kind: 'put', table: 'placements', key: `${appId}-1`, value };
}
