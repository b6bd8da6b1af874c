import t, { type Test } from 'tap';
import type { DirectoryDelta, Endpoint } from '../../core/model/directory.ts';
import { chooseSockets } from '../choose-sockets.ts';
import { plainSockets } from '../plain-sockets.ts';
import type { SocketLayer } from '../sockets.ts';
import { askUdp, query, udpExchange } from '../testing/client.ts';
import { agent, containerEndpoint, snapshot, vip } from '../testing/directory.ts';
import { runResolver } from '../testing/resolver.ts';
import { edns } from '../wire/edns.ts';
import type { Message } from '../wire/types.ts';

const web = [containerEndpoint('/web', '1', { addresses: [{ network: 'weir', ip: '100.64.1.1' }] })];
const directory = snapshot(1, {
  agents: [agent('agent-S1', '100.64.255.1', true)],
  endpoints: web,
  vips: [vip('/web', ['web.weir'])],
});

function change(
  revision: number,
  parts: { set?: readonly Endpoint[]; gone?: readonly string[] },
): DirectoryDelta {
  return { from: revision - 1, revision, endpoints: { set: parts.set ?? [], gone: parts.gone ?? [] } };
}

function addresses(message: Message): readonly string[] {
  return message.answers.map((record) => (record.type === 'A' ? record.address : record.type)).sort();
}

/** On every socket layer: one of them gives hot answers from another thread. */
const layers = { plain: plainSockets, fast: chooseSockets('fast'), auto: chooseSockets('auto') };
for (const [name, sockets] of Object.entries({ ...layers, 'two threads': chooseSockets('fast', 2) }))
  t.test(name, (t) => suite(t, sockets));

async function suite(t: Test, sockets: SocketLayer): Promise<void> {
  t.test('an answer given twice is the same but for the id and the case of the question', async (t) => {
    const { at } = await runResolver(t, { directory, parts: { sockets } });
    for (const [name, type] of [
      ['web.weir', 'A'],
      ['web.weir', 'AAAA'],
      ['_web._tcp.marathon.mesos', 'SRV'],
    ] as const) {
      for (const opt of [undefined, edns(1232)]) {
        const parts = opt === undefined ? {} : { edns: opt };
        const first = await udpExchange(at, query(name, type, { id: 1, ...parts }));
        const asked = query(name, type, { id: 2, ...parts });
        asked.write(name.slice(0, 1).toUpperCase(), 13, 'latin1');
        const second = await udpExchange(at, asked);
        t.equal(second.readUInt16BE(0), 2);
        t.same(second.subarray(12, 12 + name.length), asked.subarray(12, 12 + name.length));
        asked.copy(first, 12, 12, 12 + name.length + 6);
        t.same(second.subarray(2), first.subarray(2), `${name} ${type}`);
      }
    }
  });

  t.test('a hot answer changes with the Directory at once', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const ask = async () => addresses(await askUdp(at, 'web.marathon.mesos', 'A'));
    t.same([await ask(), await ask()], [['100.64.1.1'], ['100.64.1.1']]);
    const second = containerEndpoint('/web', '2', { addresses: [{ network: 'weir', ip: '100.64.1.2' }] });
    resolver.apply(change(2, { set: [second] }));
    t.same(await ask(), ['100.64.1.1', '100.64.1.2']);
    resolver.apply(change(3, { gone: [web[0]!.instanceId] }));
    t.same(await ask(), ['100.64.1.2']);
    resolver.apply(change(4, { gone: [second.instanceId] }));
    t.equal((await askUdp(at, 'web.marathon.mesos', 'A')).flags & 15, 3, 'NXDOMAIN');
    resolver.apply(change(5, { set: web }));
    t.same(await ask(), ['100.64.1.1']);
  });

  t.test('a hot "no such type" ends when the type comes', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const ask = () => askUdp(at, 'web.marathon.mesos', 'AAAA');
    t.same([(await ask()).answers, (await ask()).answers], [[], []]);
    resolver.apply(
      change(2, {
        set: [containerEndpoint('/web', '1', { addresses: [{ network: 'weir', ip: 'fd00::1' }] })],
      }),
    );
    t.equal((await ask()).answers.length, 1);
  });

  t.test('a hot service changes when the addresses of its target do', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const ask = () => askUdp(at, '_web._tcp.marathon.mesos', 'SRV');
    await ask();
    t.match((await ask()).additionals, [{ address: '100.64.1.1' }]);
    resolver.apply(
      change(2, {
        set: [containerEndpoint('/web', '1', { addresses: [{ network: 'weir', ip: '100.64.1.9' }] })],
      }),
    );
    t.match((await ask()).additionals, [{ address: '100.64.1.9' }]);
  });

  t.test('a snapshot ends every hot answer', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const ask = () => askUdp(at, 'web.weir', 'A');
    await ask();
    t.equal((await ask()).answers.length, 1);
    resolver.apply(snapshot(2, {}));
    t.equal((await ask()).flags & 15, 3, 'NXDOMAIN');
  });

  t.test('an alias has its own hot answer, which changes with the name it stands for', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    const ask = async () => addresses(await askUdp(at, 'web.marathon.mesos.thisdcos.directory', 'A'));
    t.same([await ask(), await ask()], [['100.64.1.1'], ['100.64.1.1']]);
    resolver.apply(
      change(2, {
        set: [containerEndpoint('/web', '1', { addresses: [{ network: 'weir', ip: '100.64.1.9' }] })],
      }),
    );
    t.same(await ask(), ['100.64.1.9']);
  });

  t.test('hot answers are counted as replies', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    for (let i = 0; i < 5; i++) await askUdp(at, 'web.weir', 'A');
    t.match(resolver.metrics(), /weir_dns_replies_total\{transport="udp",rcode="NOERROR"\} 5/);
  });

  t.test('types that look like letters in another case stay apart', async (t) => {
    const { at } = await runResolver(t, { directory, parts: { sockets } });
    const types = [];
    for (const type of [65, 97, 65]) types.push((await askUdp(at, 'web.weir', type)).question?.type);
    t.same(types, [65, 97, 65]);
  });

  t.test('an address that is listened on later knows what is hot already', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    await askUdp(at, 'web.weir', 'A');
    const [, later] = await resolver.listen([at, { address: '127.0.0.1', port: 0 }]);
    t.same(addresses(await askUdp(later!, 'web.weir', 'A')), ['100.127.0.9']);
    resolver.apply(snapshot(2, { vips: [vip('/web', ['web.weir'], { address: '100.127.0.10' })] }));
    t.same(addresses(await askUdp(later!, 'web.weir', 'A')), ['100.127.0.10']);
    t.match(resolver.metrics(), /weir_dns_replies_total\{transport="udp",rcode="NOERROR"\} 3/);
  });

  t.test('a hot answer is never older than the revision that was acknowledged', async (t) => {
    const { at, resolver } = await runResolver(t, { directory, parts: { sockets } });
    for (let revision = 2; revision < 200; revision++) {
      const ip = `100.64.2.${revision}`;
      const set = [containerEndpoint('/web', '1', { addresses: [{ network: 'weir', ip }] })];
      resolver.apply(change(revision, { set }));
      const asked = await Promise.all([1, 2].map(() => askUdp(at, 'web.marathon.mesos', 'A')));
      if (asked.some((message) => addresses(message)[0] !== ip)) t.fail(`revision ${revision}`);
      else t.same(addresses(await askUdp(at, 'web.marathon.mesos', 'A')), [ip]);
    }
  });
}
