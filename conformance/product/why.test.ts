import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';
import {
  holders,
  networks,
  type Stuck,
  stuckApps,
  stuckUnreachable,
  stuckWhileDrained,
} from './stuck-apps.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);
const withinMs = 15_000;
const size = ['--cpus', '2', '--mem', '1024'];

t.test('weir why names the true cause', { skip }, async (t) => {
  const cluster = await startCluster(t, 'why', {
    agents: [
      [...size, '--attribute', 'rack=a'],
      [...size, '--attribute', 'rack=a'],
      [...size, '--attribute', 'rack=b'],
    ],
    masterFlags: ['--agent-lost', '3'],
  });
  const { api, lab, weir } = cluster;
  for (const network of networks) await api.must('POST', '/v1/networks', network);
  for (const holder of holders) await api.deploy(holder);

  for (const each of stuckApps)
    await api.must('POST', each.as === 'group' ? '/v2/groups' : '/v2/apps', each.definition);
  for (const each of stuckApps) await t.test(each.cause, (t) => explained(t, cluster, each));

  await api.must('DELETE', '/v2/apps/shop/holder');
  t.equal((await weir('node', 'drain', 'h3', '--no-wait')).exitCode, 0);
  await api.must('POST', '/v2/apps', stuckWhileDrained.definition);
  await t.test(stuckWhileDrained.cause, (t) => explained(t, cluster, stuckWhileDrained));

  await lab.kill('h3', 'agent');
  await t.test(stuckUnreachable.cause, (t) => explained(t, cluster, stuckUnreachable));
});

async function explained(
  t: Test,
  { weir }: Cluster,
  { id, says }: Pick<Stuck, 'id' | 'says'>,
): Promise<void> {
  let said = '';
  await becomes(async () => {
    const { stdout, stderr } = await weir('why', id);
    said = stdout + stderr;
    return says.every((sentence) => sentence.test(said));
  }, withinMs);
  for (const sentence of says) t.match(said, sentence);
  t.comment(said);
}
