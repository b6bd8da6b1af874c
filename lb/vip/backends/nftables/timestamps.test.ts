import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { addresses } from '../../testing/lab.ts';
import { backendOf, labOf, needsRoot, one } from '../../testing/nftables-lab.ts';

/** Serves and closes first, so that the ports rest at the server. */
const server = `require('node:net').createServer((client) => client.end('done')).listen(7003, '${addresses.x}', () => console.log('up'))`;

/** Connects to each address in turn from the same ports, and gives how many connections took part. */
const client = (ports: number, ...to: readonly string[]) => `
const { connect } = require('node:net');
const { once } = require('node:events');
const { execFileSync } = require('node:child_process');
let made = 0;
(async () => {
  for (const [host, port] of ${JSON.stringify(to.map((address) => address.split(':')))}) {
    // Without this the connections' old entries would make the kernel choose other ports.
    execFileSync('conntrack', ['-F'], { stdio: 'ignore' });
    for (let n = 0; n < ${ports}; n++) {
      const socket = connect({ host, port, localPort: 40000 + n });
      socket.resume();
      await once(socket, 'close');
      made++;
    }
  }
  console.log(made);
})();`;

t.test(
  'nftables lets a port return to the backend by another address at once',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'w');
    const backend = backendOf(lab);
    const service = vip('tcp', one, 80, [{ instanceId: 'x', address: addresses.x, port: 7003 }]);
    await backend.apply(table(service));
    const serving = lab.spawn('x', process.execPath, ['-e', server]);
    t.teardown(() => serving.kill());
    await new Promise((resolve) => serving.stdout?.once('data', resolve));
    const [direct, through] = [`${addresses.x}:7003`, `${one}:80`];
    const made = await lab.run('host', process.execPath, [
      '-e',
      client(40, direct, through, direct, through),
    ]);
    t.equal(made.trim(), '160');
    const again = await lab.run('host', 'nstat', ['-asz', 'TcpRetransSegs']);
    t.match(again, /^TcpRetransSegs +0 /m, 'no connection stood still');
  },
);
