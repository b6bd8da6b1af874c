import t from 'tap';
import type { Challenge, Issuance } from '../../core/model/issuance.ts';
import type { CaaRecord, Refusal } from './ports.ts';
import { preflightFaults } from './preflight.ts';

type World = {
  readonly routed?: boolean;
  readonly addresses?: readonly string[] | Error;
  readonly caa?: Readonly<Record<string, readonly CaaRecord[] | Error>>;
  readonly refusal?: Refusal;
  readonly challenge?: Issuance['challenge'];
  readonly identities?: readonly string[];
};

const edges = [{ name: 'h1', address: '192.0.2.1' }];

function faults(world: World): Promise<readonly string[]> {
  const { addresses = ['192.0.2.1'], caa = {}, challenge = 'http-01', identities = ['ca.test'] } = world;
  const issuance = { name: 'a', hosts: ['a.shop.test'], challenge, authority: 'default', preflight: true };
  const probe: Challenge = {
    ...{ key: 'a', issuance: 'a', host: 'a.shop.test', type: 'http-01', token: 't', content: 'c' },
  };
  const given = async <T>(value: T | Error) => {
    if (value instanceof Error) throw value;
    return value;
  };
  return preflightFaults(
    {
      edges: { addresses: edges, isRouted: () => world.routed !== false, inForce: async () => [] },
      surroundings: {
        addresses: () => given(addresses),
        caa: (name) => given(caa[name] ?? []),
        prove: async () => world.refusal,
      },
    },
    {
      issuance: { ...issuance, requestedAt: 0 },
      authority: { name: 'default', directory: 'https://ca.test/' },
      ...{ identities, probes: [probe] },
    },
  );
}

const failing = (code: string) => Object.assign(new Error(code), { code });
const issue = (value: string): CaaRecord => ({ tag: 'issue', value });

t.test('nothing is said when nothing is in the way', async (t) => {
  t.same(await faults({}), []);
});

t.test('a name that does not resolve, and one without a route, are said together', async (t) => {
  t.match(await faults({ routed: false, addresses: failing('ENOTFOUND') }), [
    /no route leads from a\.shop\.test/,
    /a\.shop\.test does not resolve: there is no such name/,
  ]);
  t.match(await faults({ addresses: [] }), [/it has no address/]);
});

t.test('an edge that does not listen is told how to, another machine is named as what it is', async (t) => {
  const closed = { kind: 'closed', detail: 'connection refused' } as const;
  t.match(await faults({ refusal: closed }), [
    /the edge h1 at 192\.0\.2\.1 does not answer on port 80 \(connection refused\); start it with --http 0\.0\.0\.0:80/,
  ]);
  t.match(await faults({ refusal: closed, challenge: 'tls-alpn-01' }), [/--https 0\.0\.0\.0:443/]);
  t.match(await faults({ refusal: closed, addresses: ['192.0.2.9'] }), [
    /resolves to 192\.0\.2\.9, where no edge of ours answers .* our edges: 192\.0\.2\.1/,
  ]);
});

t.test('CAA records of the name, or of the nearest domain above it, decide', async (t) => {
  t.same(await faults({ caa: { 'shop.test': [issue('other.test'), issue('ca.test')] } }), []);
  t.match(await faults({ caa: { 'shop.test': [issue('other.test')] } }), [
    /CAA records of shop\.test forbid to issue for a\.shop\.test: they allow "other\.test", not ca\.test by http-01/,
  ]);
  t.same(await faults({ caa: { 'a.shop.test': [issue('ca.test')], 'shop.test': [issue(';')] } }), []);
  t.match(await faults({ caa: { test: [issue(';')] }, identities: [] }), [/forbid/]);
  t.same(await faults({ caa: { test: [issue('x.test')] }, identities: [] }), [], 'it does not say who it is');
  t.same(await faults({ caa: { test: [{ tag: 'iodef', value: 'mailto:a@b' }] } }), []);
});

t.test('CAA records may allow one way of proof only (RFC 8657)', async (t) => {
  const caa = { test: [issue('ca.test; validationmethods=dns-01,tls-alpn-01')] };
  t.match(await faults({ caa }), [/by http-01/]);
  t.same(await faults({ caa, challenge: 'tls-alpn-01' }), []);
});

t.test(
  'a resolver that fails on CAA keeps an authority from issuing; one that knows none does not',
  async (t) => {
    t.match(await faults({ caa: { 'shop.test': failing('ESERVFAIL') } }), [
      /CAA records of shop\.test cannot be/,
    ]);
    t.same(await faults({ caa: { 'shop.test': failing('ENODATA') } }), []);
  },
);
