import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../../conformance/lab/processes.ts';
import { cgroupRoots } from '../../conformance/lab/teardown.ts';
import { weir as run } from '../testing/weir.ts';
import { holdingsBelow } from './containers.ts';
import { labDown } from './down.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const name = `c${process.pid.toString(36)}`;
const base = mkdtempSync(join(tmpdir(), 'weir-cli-lab-'));
const dir = join(base, name);

function weir(...words: string[]) {
  return run([`--lab=${name}`, ...words], { env: { WEIR_LAB: base } });
}

const app = {
  id: '/one',
  cmd: 'exec sleep 1000',
  cpus: 0.1,
  mem: 16,
  networks: [{ mode: 'container', name: 'weir' }],
};

t.test(
  'weir lab builds a cluster that the CLI can talk to, and takes all of it away',
  { skip },
  async (t) => {
    t.teardown(() => labDown({ name, dir }));
    const up = await weir('lab', 'up', '--hosts', '2', '--subnet', '100.126.7.0/24');
    t.equal(up.exitCode, 0, up.stderr);
    t.match(up.stdout, /h1 +100\.126\.7\.1 +up +pid \d+ +pid \d+ +- +yes/);
    t.match(up.stdout, /h2 +100\.126\.7\.2 +up +- +pid \d+ +yes +yes/);

    const nodes = JSON.parse((await weir('node', 'list', '--json')).stdout).nodes;
    t.same(nodes.map(({ hostname }: { hostname: string }) => hostname).sort(), ['h1', 'h2']);
    t.equal((await weir('lab', 'exec', 'h2', '--', 'sh', '-c', 'exit 7')).exitCode, 7);
    t.match((await weir('lab', 'exec', 'h2', '--', 'ip', '-br', 'address')).stdout, '100.126.7.2/24');
    t.match((await weir('lab', 'exec', 'h9', '--', 'true')).stderr, /its hosts: h1, h2/);

    const file = join(base, 'app.json');
    writeFileSync(file, JSON.stringify(app));
    const added = await weir('app', 'add', file, '--timeout', '30');
    t.equal(added.exitCode, 0, added.stderr);

    t.equal((await weir('lab', 'kill', 'h2')).exitCode, 0);
    t.match((await weir('lab', 'status')).stdout, /h2 .* dead/);
    t.equal((await weir('lab', 'start', 'h2')).exitCode, 0);
    const back = async () => /h2 .*pid \d+ +yes +yes/.test((await weir('lab', 'status')).stdout);
    t.ok(await becomes(back, 20_000), 'connected again');
    await weir('lab', 'cut', 'h2');
    t.match((await weir('lab', 'status')).stdout, /h2 +\S+ +cut/);
    await weir('lab', 'heal', 'h2');

    const held = holdingsBelow(dir);
    t.ok(held.cgroups.length > 0 && held.namespaces.length > 0, 'the container holds something');
    t.equal((await weir('lab', 'down')).exitCode, 0);
    t.notOk(existsSync(dir));
    for (const namespace of held.namespaces) t.notOk(existsSync(`/run/netns/${namespace}`));
    for (const root of cgroupRoots())
      for (const cgroup of held.cgroups) t.notOk(existsSync(join(root, cgroup)));
    t.equal((await weir('lab', 'down')).exitCode, 0, 'may be repeated');
  },
);
