import { percentile } from './numbers.ts';
import { type Hosts, type Place, ports } from './vip-hosts.ts';

/** What one second of load came to. */
export type Sample = {
  readonly perSecond: number;
  /** CPU of client and server together, the kernel's part included, for one answer. */
  readonly microseconds: number;
  /** TCP segments sent again by the client: each is a connection that stood still. Per 1,000 answers. */
  readonly again: number;
};

/** One kind of load on one address. */
export type Load = (hosts: Hosts, from: Place, address: string) => Promise<Sample>;

/** What one round measured; `direct` twice, before and after, so that what cannot be told from noise is known. */
export type Round = { readonly direct: readonly [Sample, Sample]; readonly vip: Sample };

const seconds = 1;

/** 16 connections that are kept. */
export const keepAlive: Load = (hosts, from, address) => http(hosts, from, { address, headers: [] });

/**
 * A connection for each request, closed by the server: the pair of ports then rests at the server (TIME_WAIT), while the
 * client's kernel takes the port again as soon as it likes.
 */
export const newConnections: Load = (hosts, from, address) =>
  http(hosts, from, { address, headers: ['-H', 'Connection: close'] });

export const datagrams: Load = async (hosts, from, address) => {
  const where = ['-s', address, '-p', String(ports.dns), '-d', hosts.questions, '-l', String(seconds)];
  const { text, cpuMs } = await hosts.load(from, ['dnsperf', ...where]);
  if (number(text, /Queries lost:\s+(\d+)/) > 0) throw new Error(`UDP questions were lost:\n${text}`);
  const answered = number(text, /Queries completed:\s+(\d+)/);
  const perSecond = number(text, /Queries per second:\s+([\d.]+)/);
  return { perSecond, microseconds: (cpuMs * 1_000) / answered, again: 0 };
};

/** The VIP between two direct ones, which change places each round: whatever else the machine does meets all alike. */
export async function compare(
  hosts: Hosts,
  load: Load,
  { from, vip, rounds }: { readonly from: Place; readonly vip: string; readonly rounds: number },
): Promise<readonly Round[]> {
  const done: Round[] = [];
  const direct = () => load(hosts, from, hosts.backends[0] ?? '');
  for (let round = 0; round < rounds; round++) {
    const first = await direct();
    const through = await load(hosts, from, vip);
    const second = await direct();
    done.push({ direct: round % 2 === 0 ? [first, second] : [second, first], vip: through });
  }
  return done;
}

export type Ratios = {
  /** Answers per second. */
  readonly rate: number;
  /** CPU of an answer, the other way round. */
  readonly cpu: number;
  /** The same of direct to direct: how far from 1 it is says what a ratio of this run is worth. */
  readonly noise: number;
  /** Sent again through the VIP, per 1,000 answers, over all rounds. */
  readonly again: number;
};

/** 1 is as good as direct and less is worse; the median of all rounds. */
export function ratios(rounds: readonly Round[]): Ratios {
  const median = (of: (round: Round) => number) => percentile(rounds.map(of), 0.5);
  const mean = ({ direct: [one, two] }: Round, of: (sample: Sample) => number) => (of(one) + of(two)) / 2;
  const again = rounds.reduce((sum, { vip }) => sum + vip.again, 0) / rounds.length;
  return {
    rate: median((round) => round.vip.perSecond / mean(round, ({ perSecond }) => perSecond)),
    cpu: median((round) => mean(round, ({ microseconds }) => microseconds) / round.vip.microseconds),
    noise: median(({ direct: [one, two] }) => one.microseconds / two.microseconds),
    again,
  };
}

async function http(
  hosts: Hosts,
  from: Place,
  { address, headers }: { readonly address: string; readonly headers: readonly string[] },
): Promise<Sample> {
  const before = await hosts.counter(from, 'TcpRetransSegs');
  const url = `http://${address}:${ports.http}/`;
  const { text, cpuMs } = await hosts.load(from, ['wrk', '-t1', '-c16', `-d${seconds}s`, ...headers, url]);
  if (/Non-2xx/.test(text)) throw new Error(`${address} failed requests:\n${text}`);
  const answered = number(text, /(\d+) requests in/);
  const again = (await hosts.counter(from, 'TcpRetransSegs')) - before;
  const perSecond = number(text, /Requests\/sec:\s+([\d.]+)/);
  return { perSecond, microseconds: (cpuMs * 1_000) / answered, again: (again * 1_000) / answered };
}

function number(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1]);
}
