import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { ListenAddress } from '../core/kit/listen.ts';
import { agent, containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';

const run = promisify(execFile);
const addresses = (ip: string) => [{ network: 'weir', ip }];
const directory = snapshot(7, {
  agents: [agent('agent-S1', '100.64.255.1', true)],
  endpoints: [
    containerEndpoint('/shop/web', 'a'),
    containerEndpoint('/shop/web', 'b', { addresses: addresses('100.64.1.3') }),
    containerEndpoint('/six', 'c', { addresses: addresses('fd00::6') }),
    ...Array.from({ length: 120 }, (_, i) =>
      containerEndpoint('/many', `i${i}`, { addresses: addresses(`100.64.2.${i}`) }),
    ),
  ],
  vips: [vip('/shop/web', ['web.shop.weir'])],
});

const questions: readonly (readonly [name: string, type: string])[] = [
  ['web.shop.weir', 'A'],
  ['web.shop.weir', 'AAAA'],
  ['_http._tcp.web.shop.weir', 'SRV'],
  ['web-shop.marathon.mesos', 'A'],
  ['six.marathon.mesos', 'AAAA'],
  ['_web-shop._tcp.marathon.mesos', 'SRV'],
  ['many.marathon.mesos', 'A'],
  ['shop.weir', 'A'],
  ['nothing.weir', 'A'],
  ['weir', 'SOA'],
  ['mesos', 'NS'],
  ['slave.mesos', 'A'],
  ['9.0.127.100.in-addr.arpa', 'PTR'],
  ['example.com', 'A'],
];

const present = async (tool: string): Promise<boolean | string> =>
  run(tool, [tool === 'dig' ? '-v' : '-V']).then(
    () => false,
    () => `needs ${tool}`,
  );

async function probe(tool: string, at: ListenAddress, args: readonly string[]): Promise<string> {
  const options = tool === 'dig' ? ['+tries=1', '+time=5'] : ['+retry=0', '+timeout=5'];
  const { stdout } = await run(tool, [`@${at.address}`, '-p', String(at.port), ...options, ...args]);
  return stdout;
}

/** `NOERROR` and the sorted data of the answers, as the tool read them. */
async function seen(tool: string, at: ListenAddress, args: readonly string[]): Promise<string> {
  const text = await probe(tool, at, args);
  const status = /status: (\w+)/.exec(text)?.[1] ?? 'no reply';
  const answers = /;; ANSWER SECTION:\n((?:[^\n]+\n)*)/.exec(text)?.[1] ?? '';
  const data = answers
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .split(/\s+/)
        .slice(4)
        .join(' ')
        .replace(/\.( |$)/g, '$1'),
    );
  return [status, ...data.sort()].join('\n');
}

async function agree(t: Test, tool: string): Promise<void> {
  const { resolver, at } = await runResolver(t, { directory });
  for (const [name, type] of questions) {
    const { rcode, answers } = await resolver.resolve({ name, type });
    const ours = [rcode, ...answers.map((record) => record.data).sort()].join('\n');
    // over UDP the large answer is cut, and the tool asks again by TCP
    for (const transport of [[], ['+tcp']]) {
      t.equal(await seen(tool, at, [...transport, name, type]), ours, [name, type, ...transport].join(' '));
    }
  }
}

t.test('dig reads every answer as it is meant', { skip: await present('dig') }, (t) => agree(t, 'dig'));
t.test('kdig reads every answer as it is meant', { skip: await present('kdig') }, (t) => agree(t, 'kdig'));

t.test('dig finds EDNS as the standard says', { skip: await present('dig') }, async (t) => {
  const { at } = await runResolver(t, { directory });
  const ask = (...args: string[]) => probe('dig', at, ['web.shop.weir', ...args]);
  t.match(await ask('+edns=1', '+noednsneg'), /status: BADVERS/);
  t.match(await ask('+edns=0', '+ednsopt=65001:0102'), /status: NOERROR[\s\S]*EDNS: version: 0/);
  t.match(await ask('+ednsflags=0x80'), /status: NOERROR[\s\S]*EDNS: version: 0, flags:;/);
  t.match(await ask('+dnssec'), /EDNS: version: 0, flags: do;/);
  t.match(await ask('+nsid', '+cookie'), /status: NOERROR/);
  t.notMatch(await ask('+noedns'), /EDNS/);
  t.match(await ask('+opcode=notify', '+noedns'), /status: NOTIMP/);
  t.match(await ask('CH', 'TXT'), /status: REFUSED/);
  t.match(await ask('TYPE65280'), /status: NOERROR/);
});
