import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { script, webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { containerNamespaces, processesIn } from './machine.ts';
import { buildMuslLookup } from './musl.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const python = (family: string) =>
  `/usr/bin/python3 -c 'import socket; socket.getaddrinfo("NAME", 80, socket.AF_${family})'`;
/** The container does not see these programs: they are handed in as open files. */
const node = (family: number) =>
  `NODE_OPTIONS= /proc/self/fd/8 -e 'dns.lookup("NAME", { family: ${family} }, (error) => process.exit(error ? 1 : 0))'`;
const musl = '/proc/self/fd/9 NAME';

/** Programs that look for `NAME`, and how many questions that is: one for each family of addresses they want. */
const lookups: readonly (readonly [program: string, command: string, questions: number])[] = [
  ['glibc, IPv4', 'getent ahostsv4 NAME', 1],
  ['glibc, both', 'getent ahosts NAME', 2],
  ['python, IPv4', python('INET'), 1],
  ['python, both', python('UNSPEC'), 2],
  ['node, IPv4', node(4), 1],
  ['node, both', node(0), 2],
  ['musl, both', musl, 2],
];

t.test('a program in a container finds a short name in one question for each family', { skip }, async (t) => {
  const host = await openHost(t, 'question');
  const hasMusl = await buildMuslLookup(host.dir);
  const { api } = await startProduct(host);
  // neither is in the other's group, and one is a group further up
  for (const id of ['/web', '/shop/web', '/shop/cart']) await api.deploy(webServer(id, { instances: 1 }));
  await api.deploy(script('/shop/eu/visitor', []));
  const [task] = await api.tasks('/shop/eu/visitor');
  const pid = await pidOf(host, task?.id ?? '');
  const enter = `nsenter --target ${pid} --mount --pid --net -- sh -c`;
  const lookUp = (command: string, name: string) => {
    const files = `exec 8<${process.execPath}${hasMusl ? ` 9<${join(host.dir, 'musl-lookup')}` : ''}`;
    return host.shell(`${files}; ${enter} ${quoted(command.replace('NAME', name))} >&2`);
  };
  // the resolver knows who asks as soon as the container is announced
  t.ok(await becomes(() => askedOnce(() => lookUp(lookups[0]![1], 'cart'), host), 20_000));
  for (const [program, command, questions] of lookups) {
    if (command === musl && !hasMusl) continue;
    for (const name of ['web', 'cart', 'cart.shop']) {
      t.equal(await asked(() => lookUp(command, name), host), questions, `${program}: ${name}`);
    }
  }
});

async function askedOnce(look: () => Promise<unknown>, host: Host): Promise<boolean> {
  return (await asked(look, host)) === 1;
}

/** How many questions the resolver answers meanwhile, whatever the answers. */
async function asked(look: () => Promise<unknown>, host: Host): Promise<number> {
  const before = await replies(host);
  await look();
  return (await replies(host)) - before;
}

async function replies({ shell }: Host): Promise<number> {
  const text = await shell('curl --silent --fail http://127.0.0.1:8123/metrics');
  return [...text.matchAll(/^weir_dns_replies_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

/** A process of a task, as this machine counts them. */
async function pidOf({ netns }: Host, task: string): Promise<number> {
  const pids = processesIn(await containerNamespaces(netns));
  const found = pids.find((pid) => readFileSync(`/proc/${pid}/environ`, 'latin1').includes(task));
  if (found === undefined) throw new Error(`no process of ${task}`);
  return found;
}

function quoted(line: string): string {
  return `'${line.replaceAll("'", `'\\''`)}'`;
}
