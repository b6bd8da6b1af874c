import t from 'tap';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip, vipBackendContract } from '../../backend.contract.ts';
import { createLab } from '../../testing/lab.ts';
import {
  backendOf,
  bothOf,
  needsRoot,
  one,
  one6,
  ranges,
  serve,
  serve6,
  two,
  two6,
} from '../../testing/nftables-lab.ts';
import { NftablesVips } from './nftables.ts';

t.test('nftables, for a process of the host', { skip: needsRoot }, async (t) => {
  const lab = await createLab('c');
  const backend = backendOf(lab);
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'a'), await serve(lab, 'x')],
    udp: [await serve(lab, 'a', 'udp'), await serve(lab, 'x', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('host'),
    close: () => lab.close(),
  }));
});

t.test('nftables, for a container', { skip: needsRoot }, async (t) => {
  const lab = await createLab('d');
  const backend = backendOf(lab);
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'b'), await serve(lab, 'x')],
    udp: [await serve(lab, 'b', 'udp'), await serve(lab, 'r', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('a'),
    close: () => lab.close(),
  }));
});

for (const [who, place, others] of [
  ['a process of the host', 'host', ['a', 'x']],
  ['a container', 'a', ['b', 'r']],
] as const) {
  t.test(`nftables with IPv6, for ${who}`, { skip: needsRoot }, async (t) => {
    const lab = await createLab(`s${place}`);
    await vipBackendContract(t, async () => ({
      backend: bothOf(lab),
      tcp: [await serve6(lab, others[0]), await serve6(lab, others[1])],
      udp: [await serve6(lab, others[0], 'udp'), await serve6(lab, others[1], 'udp')],
      vips: [one6, two6],
      ports: [80, 81],
      ...lab.at(place),
      close: () => lab.close(),
    }));
  });
}

t.test('nftables says what is missing', async (t) => {
  const missing = new NftablesVips(
    { log: silentLog, exec: async () => Promise.reject(new Error('ENOENT')) },
    { ranges },
  );
  await t.rejects(missing.start(), { code: 'WEIR_VIP_UNAVAILABLE', next: 'Install "nft".' });
  const denied = new NftablesVips(
    { log: silentLog, exec: async () => ({ exitCode: 1, stdout: '', stderr: 'Operation not permitted' }) },
    { ranges },
  );
  await t.rejects(denied.start(), { code: 'WEIR_VIP_UNAVAILABLE', message: /not permitted/ });
});

t.test('nftables does without a session that repeats what it reads', { skip: needsRoot }, async (t) => {
  const lab = await createLab('g');
  t.teardown(() => lab.close());
  const echoes = `while read line; do printf 'nft> %s\\nError: no\\n%s\\n  ^^^\\n' "$line" "$line"; done`;
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const spawn = () => lab.spawn('host', 'sh', ['-c', echoes]);
  const backend = new NftablesVips({ log, exec: lab.host, spawn }, { ranges });
  const service = vip('tcp', one, 80, [await serve(lab, 'a')]);
  await backend.apply(table());
  await backend.apply(table(service));
  t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
  t.same(warnings, [], 'no change was taken for a failure');
});
