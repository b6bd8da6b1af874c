import t from 'tap';
import { ATTACHMENT, failure, fixture, network } from '../testing/fixture.ts';

const checks = (order: readonly string[]) => order.filter((entry) => entry.endsWith('CHECK'));

t.test('check asks in list order, with the environment of ADD and its result (R30)', async (t) => {
  const { cni, exec } = fixture(t);
  const list = network([{ type: 'a', capabilities: { mac: true } }, 'b']);
  const full = {
    ...ATTACHMENT,
    cniArgs: [['K', 'V']] as const,
    capabilityArgs: { mac: 'c2:00:00:00:00:01' },
  };
  await cni.add(list, full);

  await cni.check(list, ATTACHMENT);

  t.same(checks(exec.order()), ['a CHECK', 'b CHECK']);
  t.same(exec.calls[2]?.env, { ...exec.calls[0]?.env, CNI_COMMAND: 'CHECK' });
  t.same(exec.calls[2]?.config.runtimeConfig, { mac: 'c2:00:00:00:00:01' });
  t.same(exec.calls[2]?.config.prevResult, { cniVersion: '1.1.0', ips: [{ address: '100.64.0.2/24' }] });
});

t.test('check runs nothing on a network that switched it off (R31)', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.check(network(['a'], { disableCheck: true }), ATTACHMENT);
  t.same(exec.order(), []);
});

t.test('check fails before attach and after detach, and runs nothing (R32)', async (t) => {
  const { cni, exec } = fixture(t);
  const missing = {
    code: 'WEIR_CNI_NOT_ATTACHED',
    message: /^Cannot confirm container c1 \(eth0\) on network blue/,
  };
  await t.rejects(cni.check(network(['a']), ATTACHMENT), missing);
  await cni.add(network(['a']), ATTACHMENT);
  await cni.del('blue', ATTACHMENT);
  await t.rejects(cni.check(network(['a']), ATTACHMENT), missing);
  t.same(checks(exec.order()), []);
});

t.test('check ends at the first plugin that fails and returns its error (R33)', async (t) => {
  const { cni, exec } = fixture(t, ({ type, command }) =>
    `${type} ${command}` === 'b CHECK' ? failure(100, 'address is gone') : undefined,
  );
  const list = network(['a', 'b', 'c']);
  await cni.add(list, ATTACHMENT);
  await t.rejects(cni.check(list, ATTACHMENT), { plugin: 'b', cniCode: 100, message: /address is gone/ });
  t.same(checks(exec.order()), ['a CHECK', 'b CHECK']);
});

t.test('check needs version 0.4.0', async (t) => {
  const { cni } = fixture(t);
  const list = network(['a'], { cniVersion: '0.3.1' });
  await cni.add(list, ATTACHMENT);
  await t.rejects(cni.check(list, ATTACHMENT), {
    code: 'WEIR_CNI_VERSION',
    message: /CNI 0.3.1 has no CHECK/,
  });
});
