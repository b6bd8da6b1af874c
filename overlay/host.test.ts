import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import { silentLog } from '../core/kit/log.ts';
import type { Lease, Network } from '../core/model/network.ts';
import { assignLease } from './assign.ts';
import { createFakeBackend } from './backends/fake.ts';
import { AddressPoolFull } from './errors.ts';
import { createOverlayHost, type NetworkState, type OverlayHost } from './host.ts';

const weir: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'fake',
  vni: 1,
  port: 4789,
  egress: 'none',
};
const lease = (agentId: string, subnet: string): Lease => ({
  network: 'weir',
  agentId,
  subnet,
  agentAddress: '100.127.0.2',
  tunnelMac: '02:57:00:00:00:00',
});
const key = { instanceId: 'web', ifName: 'eth0', network: 'weir' };

type Given = { readonly dataDir?: string; readonly leaseOf?: (network: string) => Promise<Lease> };

function given(t: Test, { dataDir = folder(t), leaseOf = answer }: Given = {}) {
  const backend = createFakeBackend();
  const clock = new FakeClock();
  const overlay = createOverlayHost({
    agentId: 'a1',
    agentAddress: '100.127.0.1',
    backends: [backend],
    dataDir,
    leaseOf,
    clock,
    log: silentLog,
  });
  t.teardown(() => overlay.stop());
  return { backend, clock, overlay, dataDir };
}

async function answer(network: string): Promise<Lease> {
  return assignLease({ networks: [weir], leases: [] }, { id: 'a1', address: '100.127.0.1' }, network);
}

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'weir-overlay-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

t.test('createOverlayHost', async (t) => {
  t.test('clears what an earlier run installed, though it is asked before its first look', async (t) => {
    const { overlay, dataDir } = given(t);
    await overlay.start();
    overlay.update([weir], []);
    await overlay.ready('weir');
    await overlay.stop();
    const again = given(t, { dataDir });
    await again.overlay.start();
    t.same(await again.overlay.clear(), []);
    t.same(again.overlay.status(), []);
    const { installed } = JSON.parse(readFileSync(join(dataDir, 'networks.json'), 'utf8'));
    t.same(installed, []);
  });

  t.test('brings a network up with a lease of its own and attaches', async (t) => {
    const { overlay, backend } = given(t);
    await overlay.start();
    const waiting = overlay.attach({ ...key, netns: '' });
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);

    t.match(await waiting, {
      network: 'weir',
      ip: '100.64.0.2',
      prefix: 24,
      gateway: '100.64.0.1',
      mtu: 1500,
    });
    t.match(await overlay.ready('weir'), { attaching: 'direct', peers: 1 });
    t.same(backend.peersOf('weir'), ['100.64.9.0/24']);
    t.equal((await overlay.attach({ ...key, netns: '' })).ip, '100.64.0.2');
    await overlay.detach(key);
    await overlay.detach(key);
    t.equal((await overlay.attach({ ...key, instanceId: 'next', netns: '' })).ip, '100.64.0.3');
  });

  t.test('follows the leases of others', async (t) => {
    const { overlay, backend } = given(t);
    await overlay.start();
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);
    await stateOf(overlay, (state) => state?.kind === 'ready' && state.peers === 1);
    overlay.update([weir], []);
    await stateOf(overlay, (state) => state?.kind === 'ready' && state.peers === 0);
    t.same(backend.peersOf('weir'), []);
  });

  t.test('says at once that the address pool is full', async (t) => {
    const leaseOf = async () => {
      throw new AddressPoolFull('weir', 'a1', 'all 2 shares are given to agents');
    };
    const { overlay } = given(t, { leaseOf });
    await overlay.start();
    overlay.update([weir], []);
    await t.rejects(overlay.attach({ ...key, netns: '' }), { code: 'WEIR_ADDRESS_POOL_FULL' });
    t.match(overlay.status(), [{ kind: 'failed', reason: /all 2 shares/ }]);
  });

  t.test('waits for a master, and tells so when the time is up', async (t) => {
    let master = false;
    const leaseOf = (network: string) =>
      master ? answer(network) : Promise.reject(new Error('connection refused'));
    const { overlay, clock } = given(t, { leaseOf });
    await overlay.start();
    overlay.update([weir], []);
    await stateOf(overlay, (state) => state?.kind === 'pending');
    const tooLong = t.rejects(overlay.ready('weir'), {
      code: 'WEIR_NETWORK_NOT_READY',
      message: /no master gives it a share yet: connection refused/,
    });
    await clock.advance(15_000);
    await tooLong;
    await rest(clock);
    master = true;
    const ready = overlay.ready('weir');
    await clock.advance(5_000);
    t.match(await ready, { gateway: '100.64.0.1' });
  });

  t.test('names the networks there are, and a backend that is missing', async (t) => {
    const { overlay, clock } = given(t);
    await overlay.start();
    overlay.update([weir, { ...weir, name: 'odd', cidr: '100.65.0.0/16', backend: 'ipsec' }], []);
    await overlay.ready('weir');
    const unknown = t.rejects(overlay.ready('dev'), {
      code: 'WEIR_NETWORK_UNKNOWN',
      message: /known are weir, odd/,
    });
    await clock.advance(15_000);
    await unknown;
    await t.rejects(overlay.ready('odd'), {
      code: 'WEIR_NETWORK_NOT_READY',
      message: /has no backend ipsec/,
    });
  });

  t.test('stops waiting when asked to', async (t) => {
    const { overlay } = given(t);
    await overlay.start();
    const stop = new AbortController();
    const waiting = t.rejects(overlay.ready('weir', stop.signal), { message: 'enough' });
    stop.abort(new Error('enough'));
    await waiting;
  });

  t.test('reports why the kernel refuses, and goes on once it does not', async (t) => {
    const { overlay, backend, clock } = given(t);
    await overlay.start();
    backend.fail(new Error('Operation not permitted'));
    overlay.update([weir], []);
    await t.rejects(overlay.ready('weir'), { message: /Operation not permitted/ });
    backend.fail();
    await nextLook(clock);
    await stateOf(overlay, (state) => state?.kind === 'ready');
  });

  t.test('repairs drift and counts it', async (t) => {
    const { overlay, backend, clock } = given(t);
    await overlay.start();
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);
    await overlay.ready('weir');
    await rest(clock);
    backend.damage('weir');
    t.equal((await overlay.inspect('weir')).ready, false);
    await nextLook(clock);
    await stateOf(overlay, (state) => state?.kind === 'ready' && state.repaired === 1);
    t.same(backend.peersOf('weir'), ['100.64.9.0/24']);
  });

  t.test('counts what it put right also when the first attempt fails', async (t) => {
    const { overlay, backend, clock } = given(t);
    await overlay.start();
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);
    await overlay.ready('weir');
    for (const times of [1, 2]) {
      await rest(clock);
      backend.damage('weir');
      backend.fail(new Error('Cannot find device'));
      await nextLook(clock);
      await stateOf(overlay, (state) => state?.kind === 'failed');
      await rest(clock);
      backend.fail();
      await nextLook(clock);
      await stateOf(overlay, (state) => state?.kind === 'ready' && state.repaired === times);
    }
  });

  t.test('goes on with the plan of its last run while no master answers', async (t) => {
    const { overlay, dataDir } = given(t);
    await overlay.start();
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);
    await overlay.ready('weir');
    await overlay.stop();

    const again = given(t, { dataDir, leaseOf: () => Promise.reject(new Error('no master')) });
    await again.overlay.start();
    t.match(await again.overlay.ready('weir'), { gateway: '100.64.0.1', peers: 1 });
  });

  t.test('keeps its share when a master forgets to mention it and is gone', async (t) => {
    let master = true;
    const leaseOf = (network: string) => (master ? answer(network) : Promise.reject(new Error('no master')));
    const { overlay, clock } = given(t, { leaseOf });
    await overlay.start();
    overlay.update([weir], []);
    await overlay.ready('weir');
    await rest(clock);
    master = false;
    overlay.update([weir], [lease('a2', '100.64.9.0/24')]);
    await stateOf(overlay, (state) => state?.kind === 'ready' && state.peers === 1);
    t.match(overlay.status(), [{ lease: { subnet: '100.64.0.0/24' } }]);
  });

  t.test('removes a network that went while it was away', async (t) => {
    const { overlay, dataDir } = given(t);
    await overlay.start();
    overlay.update([weir], []);
    await overlay.ready('weir');
    await overlay.stop();

    const { overlay: again, backend } = given(t, { dataDir });
    let removed: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      removed = resolve;
    });
    const remove = backend.remove;
    backend.remove = async (network) => {
      await remove(network);
      removed();
    };
    again.update([], []);
    await again.start();
    await gone;
    t.same(again.status(), []);
  });

  t.test('recover frees what no live instance holds', async (t) => {
    const { overlay } = given(t);
    await overlay.start();
    overlay.update([weir], []);
    const [a] = await Promise.all(
      ['a', 'b'].map((id) => overlay.attach({ ...key, instanceId: id, netns: '' })),
    );
    await overlay.recover([{ ...key, instanceId: 'b' }]);
    const rest = Array.from({ length: 252 }, (_, index) => `n${index}`);
    for (const id of rest) await overlay.attach({ ...key, instanceId: id, netns: '' });
    await t.rejects(overlay.attach({ ...key, instanceId: 'one-more', netns: '' }), {
      code: 'WEIR_ADDRESSES_EXHAUSTED',
      message: /100\.64\.0\.0\/24/,
    });
    t.equal(a?.ip, '100.64.0.2');
  });
});

/** Resolves when the loop has nothing to do. Nothing else may be asleep. */
async function rest(clock: FakeClock): Promise<void> {
  while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the time pass until the loop looks again. */
async function nextLook(clock: FakeClock): Promise<void> {
  await rest(clock);
  await clock.advance(5_000);
}

function stateOf(overlay: OverlayHost, accept: (state: NetworkState | undefined) => boolean): Promise<void> {
  if (accept(overlay.status()[0])) return Promise.resolve();
  return new Promise((resolve) => {
    const end = overlay.subscribe(() => {
      if (!accept(overlay.status()[0])) return;
      end();
      resolve();
    });
  });
}
