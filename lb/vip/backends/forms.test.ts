import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { table, vip } from '../backend.contract.ts';
import type { VipBackend } from '../backend.ts';
import { ebpfLab, needsBpf } from '../testing/ebpf-lab.ts';
import { addresses, addresses6, type Lab, type Place } from '../testing/lab.ts';
import { bothOf, labOf, needsRoot, one, one6 } from '../testing/nftables-lab.ts';

const script = (name: string) => fileURLToPath(new URL(`../testing/${name}.py`, import.meta.url));

/** What is not small and not usual arrives whole: half-closed streams, megabytes, datagrams in fragments. */
async function arrives(
  t: Test,
  { lab, backend, families }: { lab: Lab; backend: VipBackend; families: readonly (4 | 6)[] },
): Promise<void> {
  for (const family of families)
    for (const server of ['b', 'x'] as const) {
      const address = (family === 4 ? addresses : addresses6)[server];
      const echo = lab.spawn(server, 'python3', [script('python-echo'), address]);
      t.teardown(() => echo.kill());
      await once(echo.stdout!, 'data');
      const at = family === 4 ? one : one6;
      const target = (port: number) => [{ instanceId: server, address, port }];
      await backend.apply(table(vip('tcp', at, 80, target(7100)), vip('udp', at, 53, target(7101))));
      for (const client of ['host', 'a', 'r'] satisfies readonly Place[]) {
        const said = await lab.run(client, 'python3', [script('python-ask'), at]);
        const wrong = said.split('\n').filter((line) => line !== '' && !line.endsWith(' right'));
        t.same(wrong, [], `IPv${family}, ${client} to ${server}`);
        t.equal(said.match(/ right/g)?.length, 18, 'all was asked');
      }
      echo.kill();
      await once(echo, 'exit');
    }
}

t.test('nftables carries what is not small and not usual', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'fo');
  await arrives(t, { lab, backend: bothOf(lab), families: [4, 6] });
});

t.test('ebpf carries what is not small and not usual', { skip: needsBpf }, async (t) => {
  const { lab, backend } = await ebpfLab(t, 'fe');
  await arrives(t, { lab, backend, families: [4, 6] });
});
