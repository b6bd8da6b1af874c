import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const script = `
  const { runPlugin } = await import(${JSON.stringify(main)});
  const nothing = async () => {};
  const add = async () => ({ interfaces: [], ips: [], routes: [], dns: {} });
  await runPlugin({ versions: ['1.0.0', '1.1.0'], add, del: nothing, check: nothing, gc: nothing, status: nothing });
`;
const args = ['--input-type=module', '--eval', script];

t.test(
  'plugin executable answers VERSION in an otherwise empty environment, whatever its input is (P1, P4)',
  async (t) => {
    for (const stdin of ['ignore', 'pipe'] as const) {
      const child = execa(process.execPath, args, {
        env: { CNI_COMMAND: 'VERSION' },
        extendEnv: false,
        stdin,
      });
      const { stdout } = await child;
      t.same(JSON.parse(stdout), { cniVersion: '1.1.0', supportedVersions: ['1.0.0', '1.1.0'] }, stdin);
    }
  },
);

t.test('plugin executable writes its result and nothing else (P16)', async (t) => {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c', CNI_NETNS: '/ns', CNI_IFNAME: 'eth0' };
  const input = '{"cniVersion":"1.0.0","name":"blue","type":"x"}';
  const { stdout, exitCode } = await execa(process.execPath, args, { env, input });
  t.same({ stdout, exitCode }, { stdout: '{"cniVersion":"1.0.0"}', exitCode: 0 });
});

t.test('plugin executable fails with an error object on standard output (P15)', async (t) => {
  const env = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c' };
  const { stdout, exitCode } = await execa(process.execPath, args, { env, input: '{}', reject: false });
  t.match(
    { json: JSON.parse(stdout), exitCode },
    { json: { code: 4, msg: /CNI_NETNS, CNI_IFNAME/ }, exitCode: 1 },
  );
});
