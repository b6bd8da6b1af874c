import t from 'tap';
import { dcosReply } from './dcos-api.ts';
import type { HttpReply } from './http-reply.ts';
import { DnsHttpServer } from './http-server.ts';
import { mesosReply } from './mesos-dns-api.ts';
import { defaultZoneOptions } from './options.ts';
import { agent, containerEndpoint, snapshot } from './testing/directory.ts';
import { Zone } from './zone.ts';

const apps = 3_000;
const lists = ['/v1/axfr', '/v1/enumerate', '/v1/records'];

function endpointAt(app: number, ip: string) {
  return containerEndpoint(`/app-${app}`, 'a', { addresses: [{ network: 'weir', ip }] });
}

function zoneOf(count: number, onChange?: (name: string) => void): Zone {
  const zone = new Zone(defaultZoneOptions, onChange);
  const endpoints = Array.from({ length: count }, (_, app) => endpointAt(app, addressOf(app)));
  zone.apply(snapshot(1, { agents: [agent('agent-S1', '100.64.255.1', true)], endpoints }));
  return zone;
}

function addressOf(app: number): string {
  return `100.65.${app >> 8}.${app & 255}`;
}

function reply(zone: Zone, path: string, from?: number): HttpReply {
  const asked = { path, from };
  return path === '/v1/records' ? dcosReply(zone, asked, 0) : mesosReply(zone, asked);
}

/** The whole of a list, as a client gets it; `between` is done before each page but the first. */
async function listed({ zone, path, between }: { zone: Zone; path: string; between?: () => void }) {
  let pages = 0;
  const source = async (path: string, from?: number) => {
    if (pages > 0) between?.();
    pages += 1;
    return reply(zone, path, from);
  };
  const server = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await server.start();
  const text = await (await fetch(`http://127.0.0.1:${server.bound.port}${path}`)).text();
  await server.stop();
  JSON.parse(text);
  return { text, pages };
}

for (const path of lists) {
  t.test(`${path} of very many apps comes whole, a page at a time`, async (t) => {
    const { text, pages } = await listed({ zone: zoneOf(apps), path });
    const names = text.match(/"app-\d+\.marathon\.mesos\.?"/g) ?? [];
    t.equal(names.length, apps);
    t.equal(new Set(names).size, apps);
    t.ok(pages > 20, `${pages} pages`);
  });

  t.test(`${path} of a zone that is nearly empty is well-formed`, async (t) => {
    const { pages } = await listed({ zone: zoneOf(0), path });
    t.ok(pages <= 3);
  });

  t.test(`${path} keeps nothing of what it had`, async (t) => {
    const changed: string[] = [];
    const zone = zoneOf(20, (name) => changed.push(name));
    await listed({ zone, path });
    const move = (revision: number, ip: string) => {
      changed.length = 0;
      const endpoints = { set: [endpointAt(7, ip)], gone: [] };
      zone.apply({ from: revision - 1, revision, endpoints });
      return changed.includes('app-7.marathon.mesos');
    };
    t.notOk(move(2, '100.66.0.1'), 'nobody has its records, so nobody hears that they are others');
    t.equal(zone.store.set('app-7.marathon.mesos', 'A')?.records.length, 1);
    t.ok(move(3, '100.66.0.2'), 'now somebody has');
  });

  t.test(`${path} has what is there all the time once, whatever changes meanwhile`, async (t) => {
    const zone = zoneOf(apps);
    let revision = 1;
    const between = () => {
      const [comes, goes] = [apps + revision, revision];
      const endpoints = { set: [endpointAt(comes, addressOf(comes))], gone: [`app-${goes}.instance-a`] };
      zone.apply({ from: revision, revision: ++revision, endpoints });
    };
    const { text } = await listed({ zone, path, between });
    t.ok(revision > 20);
    for (let app = revision; app < apps; app++) {
      if (text.split(`"app-${app}.marathon.mesos`).length !== 2) t.fail(`app-${app}`);
    }
  });
}

t.test('HEAD of a list has its headers only', async (t) => {
  const zone = zoneOf(1);
  const source = async (path: string, from?: number) => reply(zone, path, from);
  const server = new DnsHttpServer(source, { address: '127.0.0.1', port: 0 });
  await server.start();
  t.teardown(() => server.stop());
  const head = await fetch(`http://127.0.0.1:${server.bound.port}/v1/axfr`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.headers.get('content-type'), 'application/json');
  t.equal(await head.text(), '');
});
