import fc from 'fast-check';
import t from 'tap';
import { bridgeName, gatewayOf, tunnelAddress, tunnelMac, tunnelName } from './names.ts';

t.test('device names begin with weir, fit into 15 bytes, and say the network', async (t) => {
  t.equal(bridgeName('weir'), 'weirb-weir');
  t.equal(tunnelName('nine-char'), 'weirx-nine-char');
  t.match(tunnelName('mesos-bridge'), /^weirx-meso[0-9a-f]{5}$/);
  t.not(tunnelName('mesos-bridge'), tunnelName('mesos-bridga'));
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]{1,13}$/), (name) => {
      if (tunnelName(name).length > 15 || bridgeName(name) === tunnelName(name)) throw new Error(name);
    }),
  );
});

t.test('addresses and MACs follow from the share', async (t) => {
  t.equal(tunnelMac('100.64.3.0/24'), '02:57:64:40:03:00');
  t.equal(tunnelAddress('100.64.3.0/24'), '100.64.3.0');
  t.equal(gatewayOf('100.64.3.0/24'), '100.64.3.1');
});
