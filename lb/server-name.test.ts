import t from 'tap';
import { cookieOf, serverId, serverName } from './server-name.ts';

t.test(
  'a server is called after machine, address and port; once where machine and address are one',
  async (t) => {
    const at = { address: '10.0.6.25', port: 16_916 };
    t.equal(serverName({ ...at, host: '10.0.6.25' }), '10_0_6_25_16916');
    t.equal(serverName(at), '10_0_6_25_16916');
    t.equal(serverName({ ...at, host: 'node-1.example.org' }), 'node-1_example_org_10_0_6_25_16916');
    t.equal(serverName({ address: 'fd00::1', port: 80 }), 'fd00__1_80');
  },
);

t.test(
  'the id of a server follows from its name, and a taken one is drawn again from a changed name',
  async (t) => {
    // printf 10_0_6_25_16916 | sha256sum, modulo 32767; then the same of the name, a space and that digest.
    const first = serverId('10_0_6_25_16916', new Set());
    t.equal(first, 14_685);
    const second = serverId('10_0_6_25_16916', new Set([first]));
    t.equal(second, 1_389);
  },
);

t.test('a cookie is the first ten digits of SHA-1', async (t) => {
  t.equal(cookieOf('10_0_6_25_16916'), '870853150d');
});
