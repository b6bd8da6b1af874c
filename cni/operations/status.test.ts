import t from 'tap';
import { ATTACHMENT, failure, fixture, network } from '../testing/fixture.ts';

t.test('status asks in list order and resolves when all are ready', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.status(network(['a', 'b']));
  t.same(exec.order(), ['a STATUS', 'b STATUS']);
  t.same(exec.calls[0]?.env, { CNI_COMMAND: 'STATUS', CNI_PATH: '/plugins' });
});

t.test('status ends at the first plugin that is not available and gives its code (R40)', async (t) => {
  const { cni, exec } = fixture(t, ({ type, command }) =>
    `${type} ${command}` === 'a STATUS' ? failure(50, 'daemon is down') : undefined,
  );
  const list = network(['a', 'b']);
  await t.rejects(cni.status(list), {
    cniCode: 50,
    message: 'Cannot attach containers to network blue: plugin a failed: daemon is down',
  });
  t.same(exec.order(), ['a STATUS']);
  await t.resolves(cni.add(list, ATTACHMENT), 'other operations are not affected');
});

t.test('status of a list before 1.1 asks nobody', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.status(network(['a'], { cniVersion: '1.0.0' }));
  t.same(exec.order(), []);
});
