import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../../core/kit/exec.ts';
import { added, fingerprint } from './fingerprint.ts';
import { createLab, leftovers, openLab, removeLab } from './lab.ts';
import { becomes, startTimeOf } from './processes.ts';
import { cgroupRoots } from './teardown.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/** A name of its own for each run, so that runs of other checkouts do not meet. */
function place(t: Test, label: string) {
  const name = `${label}${process.pid.toString(36)}`;
  const parent = mkdtempSync(join(tmpdir(), 'weir-lab-'));
  const lab = { name, dir: join(parent, 'lab') };
  t.teardown(async () => {
    await removeLab(lab);
    rmSync(parent, { recursive: true });
  });
  return lab;
}

t.test('createLab refuses plans that cannot work, all faults together', async (t) => {
  t.throws(() => createLab({ name: 'No', dir: 'x', hosts: 0 }), {
    code: 'WEIR_LAB_PLAN',
    message: /name "No".*folder "x" must be absolute; hosts 0 must be 1 to 64/,
  });
  t.throws(() => createLab({ name: 'a', dir: '/x', hosts: 2, subnet: '10.0.0.0/24' }), {
    message: /100\.64\.0\.0\/10/,
  });
  t.throws(() => createLab({ name: 'a', dir: '/x', hosts: 7, subnet: '100.127.0.0/29' }), {
    message: /too small/,
  });
});

t.test('openLab says what to do when there is no lab', async (t) => {
  await t.rejects(openLab('/nowhere/at/all'), { code: 'WEIR_LAB_MISSING', next: /weir lab up/ });
});

t.test('a lab gives hosts that see each other and nothing else, and leaves no trace', { skip }, async (t) => {
  const { name, dir } = place(t, 't');
  const before = await fingerprint();
  const lab = createLab({ name, dir, hosts: 3 });
  await lab.up();

  t.same(
    (await lab.status()).map(({ name, address, up, cut }) => ({ name, address, up, cut })),
    [
      { name: 'h1', address: '100.127.0.1', up: true, cut: false },
      { name: 'h2', address: '100.127.0.2', up: true, cut: false },
      { name: 'h3', address: '100.127.0.3', up: true, cut: false },
    ],
  );
  const inside = added(before, await fingerprint()).filter((line) => line.startsWith('link'));
  t.same(
    inside.filter((line) => line.includes('weirp') || line.includes('weirbr')),
    [],
    'no link in the host namespace',
  );
  const routes = JSON.parse((await lab.exec('h1', ['ip', '-json', 'route'])).stdout);
  t.match(routes, [{ dst: '100.127.0.0/24' }]);
  t.equal(routes.length, 1, 'no way out');
  await t.rejects(lab.up(), { code: 'WEIR_LAB_EXISTS' });
  await t.rejects(async () => lab.exec('h9', ['true']), { code: 'WEIR_LAB_HOST', message: /h1, h2, h3/ });

  await lab.down();
  t.same(leftovers({ name, dir }), []);
  t.same(
    added(before, await fingerprint()).filter((line) => line.includes(name)),
    [],
  );
  await lab.down();
});

t.test('a process of a lab outlives its starter, is killed, and is started again', { skip }, async (t) => {
  const { name, dir } = place(t, 'p');
  const lab = createLab({ name, dir, hosts: 2 });
  await lab.up();

  const echo =
    'require("net").createServer((s) => s.end(process.env.WORD)).listen(7000, () => console.log("up"))';
  await lab.start('h2', 'echo', [process.execPath, '-e', echo], { env: { WORD: 'hello' } });
  const again = await openLab(dir);
  t.ok(await becomes(async () => (await say(again, 'h1')) === 'hello', 10_000), 'h1 reaches h2');
  await t.rejects(again.start('h2', 'echo', ['true']), { code: 'WEIR_LAB_PROCESS', message: /it runs as/ });

  await again.cut('h2');
  t.equal((await again.status())[1]?.cut, true);
  t.equal(await say(again, 'h1'), '', 'nobody answers over a cut cable');
  t.equal(await say(again, 'h2'), 'hello', 'the host itself goes on');
  await again.heal('h2');
  t.ok(await becomes(async () => (await say(again, 'h1')) === 'hello', 10_000), 'healed');

  await again.kill('h2', 'echo');
  t.equal((await again.status())[1]?.processes[0]?.alive, false);
  const second = await again.startAgain('h2', 'echo');
  t.ok(await becomes(async () => (await say(again, 'h1')) === 'hello', 10_000), 'as it was started before');
  await again.down();
  t.equal(await startTimeOf(second.pid), undefined, 'down ends processes');
});

t.test('removeLab clears a lab whose state file is lost, with containers in it', { skip }, async (t) => {
  const { name, dir } = place(t, 'x');
  const lab = createLab({ name, dir, hosts: 1 });
  await lab.up();
  const netns = join(dir, 'h1', 'container-netns');
  writeFileSync(netns, '');
  mkdirSync(join(dir, 'h1', 'root'));
  await run('mount', ['-t', 'tmpfs', 'none', join(dir, 'h1', 'root')]);
  const precious = mkdtempSync(join(tmpdir(), 'weir-lab-'));
  t.teardown(() => rmSync(precious, { recursive: true }));
  writeFileSync(join(precious, 'file'), "not the lab's");
  mkdirSync(join(dir, 'h1', 'volume'));
  await run('mount', ['--bind', precious, join(dir, 'h1', 'volume')]);
  await run('unshare', [`--net=${netns}`, 'true']);
  await lab.start('h1', 'container', ['nsenter', `--net=${netns}`, 'sleep', '600']);
  const group = join(
    cgroupRoots().find((root) => root.endsWith('pids')) ?? '/sys/fs/cgroup',
    'weir',
    name,
    'h1',
  );
  mkdirSync(group, { recursive: true });
  const grouped = await lab.start('h1', 'grouped', ['unshare', '--net', 'sleep', '600']);
  writeFileSync(join(group, 'cgroup.procs'), String(grouped.pid));
  rmSync(join(dir, 'lab.json'));

  await t.rejects(openLab(dir), { code: 'WEIR_LAB_MISSING' });
  await removeLab({ name, dir });

  t.equal(await startTimeOf(grouped.pid), undefined);
  t.ok(existsSync(join(precious, 'file')), 'what was mounted into the lab is not emptied');
  t.notOk(existsSync(dir));
  t.same(leftovers({ name, dir }), []);
});

async function say(lab: ReturnType<typeof createLab>, host: string): Promise<string> {
  const script =
    's=require("net").connect({host:process.argv[1],port:7000});s.setTimeout(500,()=>s.destroy());s.on("error",()=>{});s.pipe(process.stdout)';
  return (await lab.exec(host, [process.execPath, '-e', script, lab.host('h2').address])).stdout;
}
