import { once } from 'node:events';
import { createInterface } from 'node:readline';
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
socket.bind(7009, process.argv[1], () => console.log('up'));`;

const ways = [
  ['a', 'host'],
  ['a', 'r'],
  ['a', 'b'],
  ['host', 'a'],
  ['host', 'host'],
] as const;

for (const [by, from] of ways)
  t.test(
    `nftables brings an answer that was under way when its flow moved to its client, from ${by} to ${from}`,
    { skip: needsRoot },
    async (t) => {
      const lab = await labOf(t, `l${by}${from}`.slice(0, 6));
      const backend = backendOf(lab);
      const late = lab.spawn(by, process.execPath, ['-e', server, addresses[by]]);
      t.teardown(() => late.kill());
      await once(late.stdout!, 'data');
      const other = await serve(lab, 'x', 'udp');
      const service = vip('udp', one, 53, [{ instanceId: 'late', address: addresses[by], port: 7009 }]);
      await backend.apply(table(service));
      const reply = lab.at(from).askFrom('kept', service);
      await once(late.stdout!, 'data');
      await backend.apply(table({ ...service, backends: [other] }));
      late.stdin!.write('now\n');
      t.match(await reply, { kind: 'answer', name: 'late' });
      const again = await lab.at(from).askFrom('kept', service);
      t.match(again, { kind: 'answer', name: 'x-udp' }, 'who asks again from the same port');
      t.match(await lab.at(from).ask(service), { kind: 'answer', name: 'x-udp' }, 'who asks anew');
      t.same(await backend.audit(), []);
    },
  );

/** Answers each question after 50 ms, with its name. */
const slow = `
const [address, name] = process.argv.slice(1);
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (data, from) =>
  setTimeout(() => socket.send(data + ' ' + name, from.port, from.address), 50));
socket.bind(7009, address, () => console.log('up'));`;

/** Asks fifty times a second by one connected socket; says who answers, when that changes, and at the end what was lost. */
const asking = `
const socket = require('node:dgram').createSocket('udp4');
const open = new Set();
let [asked, last] = [0, ''];
socket.on('error', (error) => console.log('lost ' + error.message));
socket.on('message', (data) => {
  const [id, name] = String(data).split(' ');
  open.delete(id);
  if (name !== last) console.log(last = name);
});
socket.connect(53, '${one}', () => {
  const timer = setInterval(() => {
    open.add(String(++asked));
    socket.send(String(asked));
  }, 20);
  process.stdin.once('data', () => {
    clearInterval(timer);
    setTimeout(() => { console.log('lost ' + open.size); process.exit(0); }, 1_000);
  });
});`;

for (const from of ['host', 'b'] as const)
  t.test(
    `nftables loses no datagram of a client that asks on and on while its flow moves, from ${from}`,
    { skip: needsRoot },
    async (t) => {
      const lab = await labOf(t, `m${from}`);
      const backend = backendOf(lab);
      const names = ['a', 'x', 'r'] as const;
      for (const name of names) {
        const server = lab.spawn(name, process.execPath, ['-e', slow, addresses[name], name]);
        t.teardown(() => server.kill());
        await once(server.stdout!, 'data');
      }
      const to = (name: (typeof names)[number]) =>
        backend.apply(
          table(vip('udp', one, 53, [{ instanceId: name, address: addresses[name], port: 7009 }])),
        );
      await to('a');
      const client = lab.spawn(from, process.execPath, ['-e', asking]);
      t.teardown(() => client.kill());
      const said = createInterface(client.stdout!)[Symbol.asyncIterator]();
      t.equal((await said.next()).value, 'a');
      // Round again: a backend that comes back has answers of its former flow under way.
      for (const name of ['x', 'r', 'a', 'x', 'r', 'a'] as const) {
        await to(name);
        // What was under way comes first or between.
        for (let turn = 0; turn < 10 && (await said.next()).value !== name; turn++);
      }
      client.stdin!.write('enough\n');
      for await (const line of said) if (line.startsWith('lost')) t.equal(line, 'lost 0');
    },
  );
