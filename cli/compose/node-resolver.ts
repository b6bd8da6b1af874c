import { errorCode, errorText } from '../../core/kit/errors.ts';
import { run, tryRun } from '../../core/kit/exec.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import type { DnsConsumer } from '../../dns/consumer.ts';
import type { Address } from './agent-settings.ts';

/**
 * Where containers and the machine itself find the resolver: the same on every machine, so that a container's resolv.conf says
 * nothing of where it runs, and an address of the machine's own, so that nothing is translated.
 */
export const nodeAddresses: readonly string[] = ['169.254.53.53'];
const device = 'weirdns0';
const port = 53;

export type NodeResolver = Part & {
  /** What a container is to ask. */
  readonly nameserver: string;
  /** Takes the device away. */
  remove(): Promise<void>;
};

type Options = {
  readonly addresses: readonly string[];
  /** The agent's own address: asked where the others cannot be had, and by containers made before there were others. */
  readonly own: string;
  /** Where the resolver listens in any case. */
  readonly always: Address;
};

/**
 * Has the resolver listen on the machine's own addresses too. If somebody else has them (another Weir in the same network
 * namespace), it is the agent's address; if that port is taken as well, containers have no names: said, and not fatal.
 */
export function nodeResolver(options: Options, { dns, log }: { dns: DnsConsumer; log: Log }): NodeResolver {
  const { own, always, addresses } = options;
  const first = [always, ...(isSame(always, own) ? [] : [{ address: own, port }])];
  const all = [...first, ...addresses.map((address) => ({ address, port }))];
  let nameserver = own;
  return {
    get nameserver() {
      return nameserver;
    },
    async start() {
      try {
        await haveAddresses(addresses);
        await dns.listen(all);
        nameserver = addresses[0] ?? own;
        return;
      } catch (error) {
        log.info('containers ask the resolver at the address of this machine', { why: errorText(error) });
      }
      await dns.listen(first).catch((error: unknown) => {
        log.warn('containers cannot resolve names here', { error: errorText(error), code: errorCode(error) });
      });
    },
    /** The device stays: containers that go on running ask there as soon as the resolver is back. */
    async stop() {},
    async remove() {
      await tryRun('ip', ['link', 'delete', device]);
    },
  };
}

async function haveAddresses(addresses: readonly string[]): Promise<void> {
  if (addresses.length === 0) return;
  const known = await tryRun('ip', ['link', 'show', 'dev', device]);
  // a bridge without ports: container networks need bridges anyway, and not every kernel has the dummy device
  if (known.exitCode !== 0) await run('ip', ['link', 'add', device, 'type', 'bridge']);
  for (const address of addresses) {
    const length = address.includes(':') ? 128 : 32;
    await run('ip', ['address', 'replace', `${address}/${length}`, 'dev', device]);
  }
  await run('ip', ['link', 'set', device, 'addrgenmode', 'none', 'up']);
}

function isSame(at: Address, own: string): boolean {
  return at.address === own && at.port === port;
}
