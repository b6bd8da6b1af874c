import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../../core/kit/exec.ts';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { containerNamespaces, netnsFolder } from './machine.ts';
import { dataOf, startProduct } from './product.ts';
import { resolve } from './resolve.ts';
import { atSocket, type Corruption, inAnswers, inKernel, wholly } from './vip-corruptions.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
/** The auditor looks every ten seconds, or less often where looking takes long. */
const foundWithinMs = 60_000;
t.setTimeout(400_000);

t.test('virtual IPs that were spoiled by hand are found, reported and made right', { skip }, async (t) => {
  const host = await openHost(t, 'drift');
  const product = await startProduct(host);
  await product.api.deploy(webServer('/web'));
  await product.api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
  const vip = await resolve(host, 'web.weir');
  await serves(t, host, vip, 'before anything is spoiled');
  let total = 0;
  const sockets = /ebpf virtual IPs/.test(product.output()) ? atSocket(vip, loadOf(host)) : [];
  const rounds = [
    ['elements, rules and routes', [...inKernel(vip), ...sockets]],
    ['the whole table and its device', wholly()],
  ] as const;
  for (const [where, corruptions] of rounds)
    await t.test(where, async (t) => {
      total += await foundAndRepaired(t, host, corruptions);
      await serves(t, host, vip, where);
    });
  await t.test('a resolver whose answers somebody changes', async (t) => {
    const { corruption, undo } = await inAnswers(t, host, vip);
    const before = said(host).length;
    await host.shell(corruption.command);
    t.ok(
      await becomes(async () => corruption.says.test(said(host).slice(before)), foundWithinMs),
      corruption.name,
    );
    await host.shell(undo);
    t.ok(
      await becomes(async () => (await metric(host, 'weir_vip_drift')) === 0, foundWithinMs),
      'nothing is left',
    );
    t.equal(await resolve(host, 'web.weir'), vip);
    total += 1;
  });
  t.ok((await metric(host, 'weir_vip_drift_total')) >= total, `at least ${total} in the metric`);
});

/** All of a round are done at once; each must be told by itself. Gives how many. */
async function foundAndRepaired(t: Test, host: Host, corruptions: readonly Corruption[]): Promise<number> {
  const before = said(host).length;
  await afterAnAudit(host);
  for (const { command } of corruptions) await host.shell(command);
  const text = () => said(host).slice(before);
  await becomes(async () => corruptions.every(({ says }) => says.test(text())), foundWithinMs);
  for (const { name, says } of corruptions) t.match(text(), says, name);
  t.ok(
    text()
      .split('\n')
      .filter((line) => /"msg":"vip: /.test(line) && /"repaired"/.test(line))
      .every((line) => /"repaired":true/.test(line)),
    'all of it was repaired',
  );
  t.ok(
    await becomes(async () => (await metric(host, 'weir_vip_drift')) === 0, foundWithinMs),
    'nothing is left',
  );
  for (const { name, gone } of corruptions)
    if (gone !== undefined) t.equal(await host.shell(gone), '', `${name}: gone`);
  return corruptions.length;
}

/** An audit in the middle of a round would make right what it sees not yet whole. */
async function afterAnAudit(host: Host): Promise<void> {
  const ended = () => metric(host, 'weir_vip_audited_timestamp_seconds');
  const last = await ended();
  await becomes(async () => (await ended()) !== last, foundWithinMs);
}

/** From a process of the host, and from a container's network. */
async function serves(t: Test, host: Host, vip: string, when: string): Promise<void> {
  const ask = ['curl', '--silent', '--max-time', '5', '--output', '/dev/null', '--write-out', '%{http_code}'];
  const url = `http://${vip}:9000/`;
  for (let turn = 0; turn < 10; turn++)
    if ((await host.exec([...ask, url])).stdout !== '200') t.fail(`${when}: from the host`);
  const [container = ''] = await containerNamespaces(host.netns);
  const answer = await run('ip', ['netns', 'exec', container, ...ask, url]);
  t.equal(answer, '200', `${when}: from a container`);
  const other = await host.exec([...ask, `http://${vip}:9/`]);
  t.equal(other.exitCode, 7, `${when}: a port that it has not refuses`);
}

/** What the product logged. */
function said(host: Host): string {
  return readFileSync(join(dataOf(host), 'weir.log'), 'utf8');
}

async function metric(host: Host, name: string): Promise<number> {
  const text = await host.shell('curl --silent --fail http://127.0.0.1:8123/metrics');
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

/** Where the programs at the socket are pinned. */
function loadOf(host: Host): string {
  const own = `/sys/fs/bpf/weir/ns-${statSync(join(netnsFolder, host.netns)).ino}`;
  const load = readdirSync(own).find((name) => name.startsWith('load-'));
  return `${own}/${load}`;
}
