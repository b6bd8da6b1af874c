import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import t from 'tap';
import { run } from '../../../../core/kit/exec.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip } from '../../backend.contract.ts';
import { serviceKey, targetKey, type VipTarget } from '../../table.ts';
import { ebpfLab, ebpfOf, needsBpf } from '../../testing/ebpf-lab.ts';
import { addresses, createLab, type Lab, type Place } from '../../testing/lab.ts';
import { backendOf, one, serve } from '../../testing/nftables-lab.ts';
import { EbpfVips } from './ebpf.ts';

const web = (...backends: readonly VipTarget[]) => vip('tcp', one, 80, backends);
const dns = (...backends: readonly VipTarget[]) => vip('udp', one, 53, backends);

/** Connections that nftables took: none, where the socket did. */
async function translated(lab: Lab): Promise<number> {
  const listed = await lab.run('host', 'nft', ['list', 'set', 'ip', 'weir', 'counted']);
  return [...listed.matchAll(/packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
}

t.test(
  'ebpf leads sockets of host and container to a backend, which sees who asks',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend } = await ebpfLab(t, 'es');
    await backend.start();
    await backend.apply(table(web(await serve(lab, 'b'))));
    for (const place of ['host', 'a', 'r'] as const) {
      const client = lab.at(place);
      const from = place === 'host' ? '100.65.1.1' : addresses[place];
      t.match(
        await client.hold('kept', web()),
        { kind: 'answer', name: 'b-tcp', peer: from, self: from },
        place,
      );
      t.equal(await client.peer('kept'), `${one}:80`, 'its process is told of the VIP');
    }
    t.match(await lab.at('b').ask(web()), { name: 'b-tcp' }, 'also to itself');
    t.equal(await translated(lab), 0);
    t.equal((await backend.counters()).get(serviceKey(web()))?.connections, 4);
    t.match(await lab.at('x').ask(web()), { name: 'b-tcp' }, 'what comes by the wire is translated');
    t.equal(await translated(lab), 1);
  },
);

t.test('ebpf counts a socket until the last process closes it', { skip: needsBpf }, async (t) => {
  const { lab, backend, group } = await ebpfLab(t, 'en');
  await backend.start();
  const target = await serve(lab, 'b');
  const open = async () =>
    (await backend.connections(new Set([targetKey('tcp', target)]))).get(targetKey('tcp', target)) ?? 0;
  await backend.apply(table(web(target)));
  const [host, a] = [lab.at('host'), lab.at('a')];
  await host.hold('one', web());
  await a.hold('two', web());
  t.equal(await open(), 2);
  await a.load(web(), 20);
  t.equal(await open(), 2, 'those that are closed are not counted');
  await lab.at('b').unlisten('b-tcp');
  t.match(await a.ask(web()), { kind: 'refused' });
  t.equal(await open(), 2, 'nor one that was refused');

  await backend.stop();
  t.equal(await host.say('one', 'while nobody is here'), 'while nobody is here');
  const again = ebpfOf(lab, group);
  t.teardown(() => again.stop({ remove: true }));
  await again.start();
  await again.apply(table(web()));
  t.equal((await again.connections(new Set([targetKey('tcp', target)]))).get(targetKey('tcp', target)), 2);
  t.equal(await a.peer('two'), `${one}:80`);
  await a.drop('two');
  await host.drop('one');
  t.equal((await again.connections(new Set([targetKey('tcp', target)]))).size, 0);
});

t.test(
  'ebpf serves on while no process is there, and a restart loses no connection',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend, group } = await ebpfLab(t, 'er');
    await backend.start();
    await backend.apply(table(web(await serve(lab, 'b'))));
    await backend.stop();
    t.match(await lab.at('a').ask(web()), { name: 'b-tcp' });
    const load = lab.at('a').load(web(), 400);
    for (let turn = 0; turn < 2; turn++) {
      const again = ebpfOf(lab, group);
      await again.start();
      await again.apply(table(web({ instanceId: 'b-tcp', address: addresses.b, port: 7001 })));
      await again.stop();
    }
    t.same((await load).failed, []);
    t.equal(await translated(lab), 0);
  },
);

t.test(
  'ebpf leaves a backend alone at once after it refused, and takes it back',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend } = await ebpfLab(t, 'ee');
    await backend.start();
    const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
    await backend.apply(table(web(a, b)));
    await lab.at('a').unlisten('a-tcp');
    const replies = [];
    for (let i = 0; i < 40; i++) replies.push((await lab.at('host').ask(web())).kind);
    t.equal(replies.filter((kind) => kind !== 'answer').length, 1, 'one connection learns it for all');

    await serve(lab, 'a');
    const names = async (): Promise<string> => {
      const reply = await lab.at('host').ask(web());
      return reply.kind === 'answer' ? reply.name : reply.kind;
    };
    const ended = Date.now() + 10_000;
    while ((await names()) !== 'a-tcp') if (Date.now() > ended) throw new Error('it was not taken back');
  },
);

t.test(
  'ebpf uses a new instance at once at a place where another one refused',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend } = await ebpfLab(t, 'ef');
    await backend.start();
    const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
    await backend.apply(table(web(a, b)));
    await lab.at('a').unlisten('a-tcp');
    let kind = '';
    for (let i = 0; i < 100 && kind !== 'refused'; i++) ({ kind } = await lab.at('host').ask(web()));
    t.equal(kind, 'refused');
    await backend.apply(table(web(b)));
    await serve(lab, 'a');
    await backend.apply(table(web({ ...a, instanceId: 'another' }, b)));
    const names = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const reply = await lab.at('host').ask(web());
      names.add(reply.kind === 'answer' ? reply.name : reply.kind);
    }
    t.same([...names].sort(), ['a-tcp', 'b-tcp']);
  },
);

t.test(
  'ebpf leads datagrams of an unconnected socket, and its answers come from the VIP',
  { skip: needsBpf },
  async (t) => {
    const { lab, backend } = await ebpfLab(t, 'eu');
    await backend.start();
    const [b, r] = [await serve(lab, 'b', 'udp'), await serve(lab, 'r', 'udp')];
    await backend.apply(table(dns(b, r)));
    for (const place of ['host', 'a'] as const) {
      const first = await lab.at(place).sendFrom('flow', dns());
      t.match(first, { kind: 'answer', self: `${one}:53` });
      for (let i = 0; i < 5; i++) t.same(await lab.at(place).sendFrom('flow', dns()), first, 'it stays');
    }
    await backend.apply(table(dns(b)));
    t.match(await lab.at('a').sendFrom('flow', dns()), { name: 'b-udp' });
    await backend.apply(table(dns(r)));
    t.match(await lab.at('a').sendFrom('flow', dns()), { name: 'r-udp' }, 'it moves in the change');
    t.equal(await translated(lab), 0);
  },
);

t.test('ebpf of two hosts on one machine do not meet', { skip: needsBpf }, async (t) => {
  const [first, second] = [await ebpfLab(t, 'e1'), await ebpfLab(t, 'e2')];
  const places: readonly Place[] = ['host', 'a'];
  const names = ['b', 'r'] as const;
  for (const [i, { lab, backend }] of [first, second].entries()) {
    await backend.start();
    await backend.apply(table(web(await serve(lab, names[i]!))));
  }
  for (const [i, { lab }] of [first, second].entries())
    for (const place of places) t.match(await lab.at(place).ask(web()), { name: `${names[i]}-tcp` });
  await first.backend.stop({ remove: true });
  t.not((await first.lab.at('host').ask(web())).kind, 'answer');
  t.match(await second.lab.at('host').ask(web()), { kind: 'answer', name: 'r-tcp' });
});

t.test('ebpf takes away what an agent left whose namespace is gone', { skip: needsBpf }, async (t) => {
  const next = await ebpfLab(t, 'ej');
  const lab = await createLab('eg');
  const backend = ebpfOf(lab, next.group);
  await backend.start();
  const inode = /\d+/.exec(await lab.run('host', 'readlink', ['/proc/self/ns/net']))?.[0];
  const own = `/sys/fs/bpf/weir/ns-${inode}`;
  t.ok(existsSync(own));
  await backend.stop();
  // The kernel gives the number of a namespace that has ended to the next one, which may be another test's: one that no namespace has.
  const folder = '/sys/fs/bpf/weir/ns-1';
  await rename(own, folder);
  await lab.close();
  await next.backend.start();
  t.notOk(existsSync(folder), 'its maps');
  t.notMatch(await run('bpftool', ['-j', '-f', 'prog', 'show']), folder, 'and its programs');
});

t.test(
  'ebpf says what is missing, and without its programs nothing is changed',
  { skip: needsBpf },
  async (t) => {
    const { lab } = await ebpfLab(t, 'em');
    const without = new EbpfVips(
      { log: silentLog, kernel: backendOf(lab), host: lab.host },
      { object: '/none', containers: [] },
    );
    await t.rejects(without.start(), { code: 'WEIR_VIP_UNAVAILABLE', message: /not compiled/ });
  },
);
