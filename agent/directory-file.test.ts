import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { silentLog } from '../core/kit/log.ts';
import { applyDelta, type DirectoryDelta, emptyDirectory } from '../core/model/directory.ts';
import { DirectoryFile } from './directory-file.ts';
import { endpointOf } from './testing/assignments.ts';
import { eventually } from './testing/eventually.ts';
import { TestWorld } from './testing/world.ts';

const whole: DirectoryDelta = { from: 0, revision: 5, endpoints: { set: [endpointOf('a')], gone: [] } };
const added: DirectoryDelta = { from: 5, revision: 6, endpoints: { set: [endpointOf('b')], gone: [] } };
const directory = applyDelta(emptyDirectory, whole);

t.test('a Directory on disk comes back as it was', async (t) => {
  const path = join(t.testdir(), 'deep', 'directory.json');
  await new DirectoryFile(path, silentLog).save(directory);
  const kept = await new DirectoryFile(path, silentLog).load();
  t.same(kept, directory);
  t.same(kept?.byApp.get('/web'), [endpointOf('a')], 'with its index');
});

t.test('the file can be read by its owner alone, and tells whether certificates are in it', async (t) => {
  const path = join(t.testdir(), 'directory.json');
  await writeFile(`${path}.new`, 'left by an older version', { mode: 0o644 });
  await new DirectoryFile(path, silentLog).save(directory);
  t.equal((await stat(path)).mode & 0o777, 0o600);
  const edge = new DirectoryFile(path, silentLog, { edge: true });
  t.same(await edge.load(), directory);
  t.notOk(edge.complete, 'there was no edge when it was kept');
  await edge.save(directory);
  const again = new DirectoryFile(path, silentLog, { edge: true });
  await again.load();
  t.ok(again.complete);
});

for (const [what, text] of [
  ['missing', undefined],
  ['empty, as after a power failure', ''],
  ['half written', '{"from":0,"revi'],
] as const) {
  t.test(`a file that is ${what} is no Directory`, async (t) => {
    const path = join(t.testdir(), 'directory.json');
    if (text !== undefined) await writeFile(path, text);
    t.equal(await new DirectoryFile(path, silentLog).load(), undefined);
  });
}

t.test('changes that come while one is written are written together, the newest', async (t) => {
  const path = join(t.testdir(), 'directory.json');
  const file = new DirectoryFile(path, silentLog);
  let revision = 0;
  let written = 0;
  for (revision = 1; revision < 100; revision += 1) {
    file.changed(() => {
      written += 1;
      return { ...directory, revision };
    });
  }
  await file.save({ ...directory, revision: 100 });
  t.equal(written, 2, 'the first at once, the rest together');
  t.equal((await file.load())?.revision, 100);
});

t.test('a Directory nobody has is not written over one that is known', async (t) => {
  const path = join(t.testdir(), 'directory.json');
  const file = new DirectoryFile(path, silentLog);
  await file.save(directory);
  await file.save(emptyDirectory);
  t.equal((await file.load())?.revision, 5);
});

t.test('a disk that takes nothing is said, and is no error', async (t) => {
  const folder = t.testdir({ taken: '' });
  const said: string[] = [];
  const log = { ...silentLog, error: (message: string) => said.push(message) };
  await new DirectoryFile(join(folder, 'taken', 'directory.json'), log).save(directory);
  t.same(said, ['the Directory cannot be kept on disk']);
});

t.test('an agent that starts without a master serves the last Directory it had', async (t) => {
  const { world, agent } = await withDirectory(t);
  await agent.stop();
  world.master.reachable = false;
  const { length } = world.consumer.calls;
  const again = await world.agent(t);
  await world.until(() => again.inForce);
  t.equal(world.consumer.inForce, 6);
  t.same(world.consumer.calls.slice(length), [{ revision: 6, delta: undefined }]);
});

t.test('an agent that is killed has the last Directory on disk', async (t) => {
  const { world } = await withDirectory(t);
  const path = join(world.dataDir, 'directory.json');
  let text = '';
  await eventually(
    () => text.includes('"revision":6'),
    async () => {
      text = await readFile(path, 'utf8').catch(() => '');
    },
  );
  const other = new TestWorld(join(world.dataDir, 'other'));
  await mkdir(other.dataDir);
  await writeFile(join(other.dataDir, 'directory.json'), text);
  other.master.reachable = false;
  await other.agent(t);
  await other.until(() => other.consumer.inForce === 6);
  t.pass('it is served again');
});

t.test('an agent connects with the revision it holds, at once and again and again', async (t) => {
  const { world, agent } = await withDirectory(t);
  t.same(world.master.connections, [0]);
  world.master.hangUp();
  await world.whileTimeGoesBy(() => world.master.connections.length === 2);
  t.same(world.master.connections, [0, 6]);
  world.master.say({ kind: 'directory', delta: { from: 6, revision: 7 } });
  await world.until(() => world.consumer.inForce === 7);

  await agent.stop();
  await world.agent(t);
  await world.until(() => world.master.connections.length === 3);
  t.same(world.master.connections, [0, 6, 7], 'also after a restart');
});

async function withDirectory(t: Test) {
  const world = TestWorld.open(t);
  const agent = await world.agent(t);
  await world.until(() => world.master.connections.length === 1);
  world.master.say({ kind: 'directory', delta: whole }, { kind: 'directory', delta: added });
  await world.until(() => world.consumer.inForce === 6);
  return { world, agent };
}
