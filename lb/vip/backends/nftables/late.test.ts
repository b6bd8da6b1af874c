import { once } from 'node:events';
import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { addresses } from '../../testing/lab.ts';
import { backendOf, labOf, needsRoot, one, serve } from '../../testing/nftables-lab.ts';

/** Says when it is asked, and answers when it is told to. */
const server = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (_data, from) => {
  console.log('asked');
  process.stdin.once('data', () => socket.send('late ' + from.address + ' ' + from.port, from.port, from.address));
});
socket.bind(7009, '0.0.0.0', () => console.log('up'));`;

for (const from of ['host', 'r', 'b'] as const)
  t.test(
    `nftables brings an answer that was under way when its flow moved to its client, from ${from}`,
    { skip: needsRoot },
    async (t) => {
      const lab = await labOf(t, `l${from}`);
      const backend = backendOf(lab);
      const late = lab.spawn('a', process.execPath, ['-e', server]);
      t.teardown(() => late.kill());
      await once(late.stdout!, 'data');
      const other = await serve(lab, 'x', 'udp');
      const service = vip('udp', one, 53, [{ instanceId: 'late', address: addresses.a, port: 7009 }]);
      await backend.apply(table(service));
      const reply = lab.at(from).askFrom('kept', service);
      await once(late.stdout!, 'data');
      await backend.apply(table({ ...service, backends: [other] }));
      late.stdin!.write('now\n');
      t.match(await reply, { kind: 'answer', name: 'late' });
      t.match(await lab.at(from).ask(service), { kind: 'answer', name: 'x-udp' }, 'who asks anew');
    },
  );
