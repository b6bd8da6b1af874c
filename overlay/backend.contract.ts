import type { Test } from 'tap';
import type { Lease, Network } from '../core/model/network.ts';
import { assignLease } from './assign.ts';
import type { AttachmentKey, Cluster, DirectAttaching, NetworkBackend, OwnShare } from './backend.ts';

/** One implementation on one host that it may change. */
export type BackendUnderTest = {
  readonly backend: NetworkBackend;
  /** An agent with this address runs on the host. */
  readonly agentAddress: string;
  /** A range the backend can serve. */
  readonly cidr: string;
  /** Shares of peers that packets of this host find a way to; absent where peers cannot be reached at all. */
  readonly reaches?: (network: Network) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

/** What every NetworkBackend does, as its interface says. */
export function networkBackendContract(t: Test, open: () => Promise<BackendUnderTest>): void {
  const check = (name: string, body: (t: Test, given: Given) => Promise<void>) =>
    t.test(name, async (t) => {
      const under = await open();
      t.teardown(() => under.close());
      await body(t, givenOf(under));
    });

  check('prepare may be repeated and then changes nothing', async (t, { backend, share, alone }) => {
    const first = await backend.prepare(share, alone);
    t.ok(first.mtu >= 552);
    t.same(await backend.prepare(share, alone), { mtu: first.mtu, changes: [] });
  });

  check('sync does what prepare does, and is right at once', async (t, { backend, share, cluster }) => {
    await backend.sync(share, cluster);
    t.same(await backend.inspect(share, cluster), { ready: true, faults: [] });
    t.same((await backend.sync(share, cluster)).changes, []);
    t.same((await backend.prepare(share, cluster)).changes, [], 'prepare after sync takes nothing away');
  });

  check('sync reaches exactly the peers it is given', async (t, { backend, share, cluster, under }) => {
    const { reaches } = under;
    if (reaches === undefined) return void t.pass('reaches no peers');
    const [first, second] = cluster.peers.map(({ subnet }) => subnet);
    await backend.prepare(share, cluster);
    t.same(await reaches(share.network), [], 'prepare does not know the peers');
    await backend.sync(share, cluster);
    t.same(await reaches(share.network), [first, second]);
    const fewer = { ...cluster, peers: cluster.peers.slice(1) };
    t.equal((await backend.inspect(share, fewer)).ready, false, 'inspect sees one too many');
    await backend.sync(share, fewer);
    t.same(await reaches(share.network), [second]);
    await backend.sync(share, cluster);
    t.same(await reaches(share.network), [first, second]);
  });

  check(
    'sync follows a peer that moved to another address',
    async (t, { backend, share, cluster, under }) => {
      await backend.sync(share, cluster);
      const moved = {
        ...cluster,
        peers: cluster.peers.map((peer) => ({ ...peer, agentAddress: '100.127.0.77' })),
      };
      await backend.sync(share, moved);
      t.ok((await backend.inspect(share, moved)).ready);
      if (under.reaches !== undefined) t.equal((await backend.inspect(share, cluster)).ready, false);
    },
  );

  check(
    'remove leaves nothing, may be repeated, and prepare works again',
    async (t, { backend, share, cluster, under }) => {
      await backend.remove(share.network);
      await backend.sync(share, cluster);
      await backend.remove(share.network);
      t.same((await under.reaches?.(share.network)) ?? [], []);
      await backend.remove(share.network);
      await backend.sync(share, cluster);
      t.ok((await backend.inspect(share, cluster)).ready);
    },
  );

  check('attaching keeps what it promises', async (t, { backend, share, alone }) => {
    const { mtu } = await backend.prepare(share, alone);
    const { attaching } = backend;
    if (attaching.kind === 'direct') return direct(t, attaching, share);
    const wish = { defaultRoute: true, mtu };
    const plugins = attaching.pluginConfig(share, wish);
    t.ok(plugins.length > 0 && plugins.every(({ type }) => type.length > 0));
    t.same(attaching.pluginConfig(share, wish), plugins, 'pure');
    t.same(JSON.parse(JSON.stringify(plugins)), plugins, 'can be written as JSON');
  });
}

async function direct(t: Test, attaching: DirectAttaching, share: OwnShare): Promise<void> {
  const key = (instanceId: string): AttachmentKey => ({ instanceId, ifName: 'eth0' });
  const { name } = share.network;
  const all = await Promise.all(['a', 'b', 'c'].map((id) => attaching.attach(share, key(id))));
  t.equal(new Set(all).size, 3, 'addresses differ');
  t.equal(await attaching.attach(share, key('b')), all[1], 'the same again when repeated');
  await attaching.detach(name, key('a'));
  await attaching.detach(name, key('a'));
  t.not(await attaching.attach(share, key('d')), all[0], 'an address rests before it is given again');
  await attaching.recover(name, [key('c')]);
  t.equal(await attaching.attach(share, key('c')), all[2], 'recover keeps what is valid');

  const few = { ...share, lease: { ...share.lease, subnet: share.lease.subnet.replace(/\d+$/, '29') } };
  const rest = await Promise.all(['e', 'f', 'g', 'h'].map((id) => attaching.attach(few, key(id))));
  t.equal(new Set([...rest, all[2]]).size, 5, 'a /29 has five addresses for instances');
  await t.rejects(attaching.attach(few, key('i')), { code: 'WEIR_ADDRESSES_EXHAUSTED' });
  await attaching.detach(name, key('f'));
  t.equal(await attaching.attach(few, key('i')), rest[1], 'the one that became free');
}

type Given = {
  readonly under: BackendUnderTest;
  readonly backend: NetworkBackend;
  readonly share: OwnShare;
  /** Two peers. */
  readonly cluster: Cluster;
  readonly alone: Cluster;
};

function givenOf(under: BackendUnderTest): Given {
  const { backend, cidr, agentAddress } = under;
  const network: Network = {
    name: 'contract',
    cidr,
    agentPrefix: 24,
    backend: backend.name,
    vni: 77,
    port: 4789,
    egress: 'none',
  };
  const addresses = [agentAddress, '100.127.0.202', '100.127.0.203'];
  const leases: Lease[] = [];
  for (const [index, address] of addresses.entries()) {
    leases.push(
      assignLease({ networks: [network], leases }, { id: `agent-${index}`, address }, network.name),
    );
  }
  const [lease, ...peers] = leases;
  if (lease === undefined) throw new Error('no lease');
  const cluster = { peers, ranges: [cidr], agents: addresses };
  return { under, backend, share: { network, lease }, cluster, alone: { ...cluster, peers: [] } };
}
