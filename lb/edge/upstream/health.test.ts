import t from 'tap';
import { roundRobin } from '../../balancers/round-robin.ts';
import { answerEach, type Recorded, rawClient, serveWith } from '../testing/peers.ts';
import { observe, type Suspect } from './outliers.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Upstream } from './upstream.ts';
import { pick } from './upstreams.ts';

const get = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';

function suspects(count: number) {
  return Array.from({ length: count }, () => ({
    faultStreak: 0,
    ejectedUntil: 0,
    eject(ms: number) {
      this.ejectedUntil = now + ms;
    },
  })) satisfies Suspect[];
}

const now = 1_000;

function faults(upstreams: readonly Suspect[], suspect: Suspect, count: number): void {
  for (let n = 0; n < count; n++) observe({ upstreams }, suspect, { fault: true, now });
}

t.test('five faults in a row eject an endpoint for ten seconds', async (t) => {
  const [one, two] = suspects(2);
  faults([one!, two!], one!, 4);
  observe({ upstreams: [one!, two!] }, one!, { fault: false, now });
  faults([one!, two!], one!, 4);
  t.equal(one!.ejectedUntil, 0, 'a sound answer between them');
  faults([one!, two!], one!, 1);
  t.equal(one!.ejectedUntil, now + 10_000);
});

t.test('never more than half of a pool is ejected for its answers', async (t) => {
  const all = suspects(5);
  for (const suspect of all) faults(all, suspect, 20);
  t.equal(all.filter(({ ejectedUntil }) => ejectedUntil > now).length, 2);
  const [alone] = suspects(1);
  faults([alone!], alone!, 20);
  t.equal(alone!.ejectedUntil, 0, 'the only one is better than none');
});

t.test('an endpoint that answers nothing but 500 is left alone while another serves', async (t) => {
  const broken = (recorded: Recorded) => {
    const heads = recorded.text.value.split('\r\n\r\n').length - 1;
    for (; recorded.answered < heads; recorded.answered++)
      recorded.send('HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken');
  };
  const { engine, port } = await serveWith(t, [broken, answerEach('sound.')]);
  const client = await rawClient(port);
  for (let n = 1; n <= 60; n++) {
    client.send(get);
    await client.until('HTTP/1.1 ', n);
  }
  const text = await client.until('sound.', 55);
  t.equal(text.split('broken').length - 1, 5);
  t.equal((await engine.stats()).ejections, 1);
  client.socket.destroy();
});

t.test('a retry budget is one for five requests, and some to begin with', async (t) => {
  const budget = new RetryBudget();
  const spendAll = () => {
    let spent = 0;
    while (budget.spend()) spent++;
    return spent;
  };
  t.equal(spendAll(), 10);
  for (let n = 0; n < 51; n++) budget.earn(20);
  t.equal(spendAll(), 10);
  for (let n = 0; n < 10_000; n++) budget.earn(20);
  t.ok(spendAll() <= 101, 'saved up only so far');
});

t.test('an endpoint that joined gets its share step by step', async (t) => {
  let state = 1;
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const usual = { joinedAt: 0, ejectedUntil: 0, inFlight: 0, endpoint: {} };
  const upstreams = ['old', 'new'].map((key) => ({ ...usual, key })) as unknown as Upstream[];
  const newcomer = upstreams[1]!;
  newcomer.joinedAt = 1;
  const pool = {
    endpoints: [],
    upstreams,
    turns: upstreams,
    balancer: roundRobin(() => 0),
    retries: new RetryBudget(),
    chance,
    checks: undefined,
    panicPercent: 0,
  };
  const shareAt = (now: number) => {
    const options = { tried: undefined, now, sticky: undefined, slowStartMs: 10_000 };
    const chosen = Array.from({ length: 4_000 }, () => pick(pool, { hashKey: '' }, options));
    return chosen.filter((upstream) => upstream === newcomer).length / 4_000;
  };
  const near = (found: number, wanted: number) =>
    t.ok(Math.abs(found - wanted) < 0.04, `${found}, not ${wanted}`);
  near(shareAt(1), 0.05);
  near(shareAt(5_001), 0.25);
  near(shareAt(10_001), 0.5);
  t.equal(newcomer.joinedAt, 0);
});
