import { VipApplyFailed } from '../../errors.ts';
import { serviceKey, type VipService } from '../../table.ts';
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
  /** Who asked, and as whom the answerer knows it; they differ where the source was masqueraded. */
  readonly from: { readonly address: string; readonly port: number };
  readonly seen: { readonly address: string; readonly port: number };
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
 * nobody served the address. One listing whatever the number of services. `expect` is told of them before they are forgotten.
 */
export async function flushUdp(
  { exec, family }: Tracked,
  services: readonly VipService[],
  expect: (stale: readonly Flow[]) => Promise<void> = async () => {},
): Promise<void> {
  if (services.length === 0) return;
  const { tracked } = familyWords(family);
  const result = await exec('conntrack', ['-L', '-f', tracked, '-p', 'udp']);
  if (result.exitCode !== 0) throw new VipApplyFailed('conntrack', result.stderr.trim());
  const stale = staleFlows(parseFlows(result.stdout), services);
  if (stale.length > 0) await expect(stale);
  const pairs = new Map(stale.map(({ to, by }) => [JSON.stringify([to, by]), { to, by }]));
  for (const { to, by } of pairs.values()) {
    const original = ['-d', to.address, '--dport', String(to.port)];
    const reply = ['-r', by.address, '--reply-port-src', String(by.port)];
    await drop(exec, ['-D', '-f', tracked, '-p', 'udp', ...original, ...reply]);
  }
}

/** Flows whose answerer their service does not have (any more). */
export function staleFlows(flows: readonly Flow[], services: readonly VipService[]): readonly Flow[] {
  const known = new Map(services.map((service) => [serviceKey(service), service]));
  return flows.filter((flow) => {
    const service = known.get(serviceKey({ protocol: 'udp', ...flow.to }));
    const answered = service?.backends.some(
      (target) => target.address === flow.by.address && target.port === flow.by.port,
    );
    return answered === false;
  });
}

/** The lines of `conntrack -L`; each has the original pair first and the reply pair second. */
export function parseFlows(text: string): readonly Flow[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const values = (name: string) =>
      words.filter((word) => word.startsWith(`${name}=`)).map((word) => word.slice(name.length + 1));
    const [[asks, answers], [to, seen]] = [values('src'), values('dst')];
    const [[askPort, answerPort], [port, seenPort]] = [values('sport'), values('dport')];
    if (asks === undefined || answers === undefined || to === undefined || seen === undefined) return [];
    if (seenPort === undefined) return [];
    return [
      {
        protocol: words[0]!,
        state: words[3]!.includes('=') ? '' : words[3]!,
        to: { address: to, port: Number(port) },
        by: { address: answers, port: Number(answerPort) },
        from: { address: asks, port: Number(askPort) },
        seen: { address: seen, port: Number(seenPort) },
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
