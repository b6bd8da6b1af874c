import t from 'tap';
import { Presence } from './presence.ts';

const report = { instances: [], complete: false, acks: { dns: 3 }, inFlight: {} };

function watched() {
  const presence = new Presence(1_500);
  const seen = { changes: 0 };
  const end = presence.onChange(() => {
    seen.changes += 1;
  });
  return { presence, seen, end };
}

t.test('an agent that connects has acknowledged nothing yet', async (t) => {
  const { presence } = watched();
  presence.connected('h1', 0);
  presence.reported('h1', report, 10);
  t.match(presence.agents.get('h1'), { acks: { dns: 3 }, lastHeard: 10, connected: true });
  presence.connected('h1', 20);
  t.same(presence.agents.get('h1'), { lastHeard: 20, connected: true, acks: {}, inFlight: {} });
});

t.test('a heartbeat that says nothing new wakes nobody, yet counts as heard', async (t) => {
  const { presence, seen } = watched();
  presence.connected('h1', 0);
  presence.reported('h1', report, 1_000);
  t.equal(seen.changes, 2);
  presence.reported('h1', { ...report, acks: { dns: 3 } }, 2_000);
  t.equal(seen.changes, 2);
  t.equal(presence.agents.get('h1')?.lastHeard, 2_000);
  presence.reported('h1', { ...report, inFlight: { 'web.instance-1': 1 } }, 2_500);
  t.equal(seen.changes, 3);
});

t.test('a heartbeat after silence wakes those who may have given the agent up', async (t) => {
  const { presence, seen } = watched();
  presence.connected('h1', 0);
  presence.reported('h1', report, 1_000);
  presence.reported('h1', report, 4_000);
  t.equal(seen.changes, 3);
});

t.test('leaving and forgetting are told; forgetting a stranger is not', async (t) => {
  const { presence, seen, end } = watched();
  presence.connected('h1', 0);
  presence.disconnected('h1');
  t.equal(presence.agents.get('h1')?.connected, false);
  presence.forget('h1');
  presence.forget('h1');
  t.equal(seen.changes, 3);
  end();
  presence.connected('h1', 5);
  t.equal(seen.changes, 3);
});
