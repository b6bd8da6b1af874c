import { VipApplyFailed } from '../../errors.ts';
import { serviceKey, type VipService, type VipTarget } from '../../table.ts';
import { type Family, familyWords } from './family.ts';
import type { HostExec } from './host.ts';

/** Where connections are tracked, and of which family. */
export type Tracked = { readonly exec: HostExec; readonly family: Family };

/** One translated connection: where the client meant to go, and who answers. */
export type Flow = {
  readonly protocol: string;
  /** TCP only: ESTABLISHED, TIME_WAIT, … */
  readonly state: string;
  readonly to: { readonly address: string; readonly port: number };
  readonly by: { readonly address: string; readonly port: number };
};

/** States in which bytes may still pass; the later ones only wait for the address pair to cool down. */
const open = new Set(['SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT']);

/** Translated TCP connections that are still open. */
export async function openConnections({ exec, family }: Tracked): Promise<readonly Flow[]> {
  const result = await exec('conntrack', ['-L', '-f', familyWords(family).tracked, '-p', 'tcp', '--dst-nat']);
  if (result.exitCode !== 0) throw new VipApplyFailed('conntrack', result.stderr.trim());
  return parseFlows(result.stdout).filter((flow) => open.has(flow.state));
}

/**
 * Forgets UDP flows to these services that are answered by none of their backends, also those tracked untranslated while
 * nobody served the address. One listing whatever the number of services.
 */
export async function flushUdp({ exec, family }: Tracked, services: readonly VipService[]): Promise<void> {
  if (services.length === 0) return;
  const { tracked } = familyWords(family);
  const result = await exec('conntrack', ['-L', '-f', tracked, '-p', 'udp']);
  if (result.exitCode !== 0) throw new VipApplyFailed('conntrack', result.stderr.trim());
  for (const { to, by } of staleFlows(parseFlows(result.stdout), services)) {
    const original = ['-d', to.address, '--dport', String(to.port)];
    const reply = ['-r', by.address, '--reply-port-src', String(by.port)];
    await drop(exec, ['-D', '-f', tracked, '-p', 'udp', ...original, ...reply]);
  }
}

/**
 * Forgets what late answers of these backends made of themselves: they would lead the client's next datagram back. Gives
 * how many there were.
 */
export async function flushLate({ exec, family }: Tracked, left: readonly VipTarget[]): Promise<number> {
  let count = 0;
  for (const { address, port } of left) {
    const from = ['-s', address, '--sport', String(port), '--src-nat'];
    const result = await exec('conntrack', ['-D', '-f', familyWords(family).tracked, '-p', 'udp', ...from]);
    if (result.exitCode === 0) count++;
  }
  return count;
}

/** Pairs of service and answerer that the services do not have (any more), each once. */
export function staleFlows(flows: readonly Flow[], services: readonly VipService[]): readonly Flow[] {
  const known = new Map(services.map((service) => [serviceKey(service), service]));
  const stale = new Map<string, Flow>();
  for (const flow of flows) {
    const service = known.get(serviceKey({ protocol: 'udp', ...flow.to }));
    const answered = service?.backends.some(
      (target) => target.address === flow.by.address && target.port === flow.by.port,
    );
    if (answered === false) stale.set(JSON.stringify([flow.to, flow.by]), flow);
  }
  return [...stale.values()];
}

/** The lines of `conntrack -L`; each has the original pair first and the reply pair second. */
export function parseFlows(text: string): readonly Flow[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const values = (name: string) =>
      words.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
    const [[, answers], [to], [, from], [port]] = [
      values('src'),
      values('dst'),
      values('sport'),
      values('dport'),
    ];
    if (answers === undefined || to === undefined || from === undefined || port === undefined) return [];
    return [
      {
        protocol: words[0]!,
        state: words[3]!.includes('=') ? '' : words[3]!,
        to: { address: to, port: Number(port) },
        by: { address: answers, port: Number(from) },
      },
    ];
  });
}

async function drop(exec: HostExec, args: readonly string[]): Promise<void> {
  const result = await exec('conntrack', args);
  // Exit code 1 with a count: there was nothing to forget.
  if (result.exitCode === 0 || /\b0 flow entries/.test(result.stderr)) return;
  throw new VipApplyFailed('conntrack', result.stderr.trim() || `it ended with ${result.exitCode}`);
}
