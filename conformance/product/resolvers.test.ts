import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Api } from './api.ts';
import { script, webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { buildMuslLookup } from './musl.ts';
import { startProduct } from './product.ts';

/** What programs in containers make of our answers: C libraries, Python, Node; on a container network and on the machine's. */
const skip = process.getuid?.() === 0 ? false : 'needs root';
const node = '169.254.53.53';
const hundred = Array.from({ length: 100 }, (_, i) => `100.64.200.${i + 1}`);
const records = { 'big.weir': { A: hundred }, 'six.weir': { AAAA: 'fd00::6' } };

/** Named lines: what a program prints for each name. */
const libraries: Readonly<Record<string, (name: string) => string>> = {
  glibc: (name) => `getent ahosts ${name} | cut -d' ' -f1`,
  python: (name) =>
    `/usr/bin/python3 -c 'import socket; print(*(at[4][0] for at in socket.getaddrinfo("${name}", None)), sep="\\n")'`,
  'node lookup': (name) =>
    `./node -e 'dns.lookup("${name}", { all: true }, (_, all) => all.forEach((at) => console.log(at.address)))'`,
  'node resolve': (name) =>
    `./node -e 'dns.resolve("${name}", (_, all) => all.forEach((at) => console.log(at)))'`,
  musl: (name) => `./musl-lookup ${name}`,
};

t.test(
  'programs of every kind find names, on a container network and on the machine',
  { skip },
  async (t) => {
    const host = await openHost(t, 'resolvers');
    const settings = join(host.dir, 'dns.json');
    await writeFile(settings, JSON.stringify({ records }));
    const hasMusl = await buildMuslLookup(host.dir);
    const { api } = await startProduct(host, { flags: ['--dns-settings', settings] });
    await api.deploy(webServer('/shop/web', { instances: 1 }));
    const [vip = ''] = (await host.shell(`dig @${node} +short web.shop.weir`)).trim().split('\n');
    const asking = Object.entries(libraries).filter(([library]) => hasMusl || library !== 'musl');
    const expected: Readonly<Record<string, readonly string[]>> = {
      'web.shop.weir': [vip],
      'web-shop.marathon.mesos': [(await host.shell(`dig @${node} +short web-shop.marathon.mesos`)).trim()],
      'big.weir': hundred,
    };
    for (const [network, mode] of Object.entries({ container: 'container', machine: 'host' })) {
      const names = Object.keys(expected);
      const lines = asking.flatMap(([library, ask]) =>
        names.map((name) => noted(`${library} ${name}`, ask(name))),
      );
      const short = asking.filter(([library]) => library !== 'node resolve');
      const said = await askIn(api, host, {
        id: `/shop/from-${network}`,
        mode,
        lines: [
          ...lines,
          ...short.map(([library, ask]) => noted(`${library} web`, ask('web'))),
          noted('six', 'getent ahostsv6 six.weir | cut -d" " -f1'),
          noted('nobody', 'getent hosts nobody.weir || echo not found'),
        ],
      });
      for (const [library] of asking) {
        // before 1.2.4 musl knows no TCP: what fits into 512 bytes is what it has
        for (const name of library === 'musl' ? names.slice(0, 2) : names) {
          t.same(
            said.get(`${library} ${name}`),
            expected[name]?.toSorted(),
            `${network}: ${library} ${name}`,
          );
        }
      }
      for (const [library] of short) t.same(said.get(`${library} web`), [vip], `${network}: ${library} web`);
      const part = said.get('musl big.weir') ?? hundred;
      t.ok(part.length >= 28 && part.every((address) => hundred.includes(address)), `${network}: musl`);
      t.same(said.get('six'), ['fd00::6'], network);
      t.same(said.get('nobody'), ['not found'], network);
    }
  },
);

/** `WHAT: ANSWER` for each line that a command prints. */
const noted = (what: string, command: string) => `${command} | sort -u | sed 's/^/${what}: /'`;

type Asking = { readonly id: string; readonly mode: string; readonly lines: readonly string[] };

async function askIn(
  api: Api,
  host: Host,
  { id, mode, lines }: Asking,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const network = mode === 'host' ? { mode } : { mode, name: 'weir' };
  const programs = [process.execPath, join(host.dir, 'musl-lookup')].filter((path) => existsSync(path));
  const fetch = programs.map((path) => ({ uri: `file://${path}`, executable: true }));
  await api.deploy(script(id, lines, { networks: [network], mem: 512, fetch }));
  const [task] = await api.tasks(id);
  let log: readonly string[] = [];
  await becomes(async () => {
    log = await api.log(task?.id ?? '');
    return log.includes('done');
  }, 60_000);
  const pairs = log.map((line) => line.split(/: (.*)/) as [string, string]);
  const groups = Map.groupBy(pairs, ([what]) => what);
  return new Map([...groups].map(([what, all]) => [what, all.map(([, answer]) => answer).toSorted()]));
}
