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

export type Comparison = {
  readonly direct: readonly Sample[];
  readonly vip: readonly Sample[];
};

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

/** Direct and VIP take turns, so that whatever else the machine does meets both. */
export async function compare(
  hosts: Hosts,
  load: Load,
  { from, vip, rounds }: { readonly from: Place; readonly vip: string; readonly rounds: number },
): Promise<Comparison> {
  const [direct, through]: [Sample[], Sample[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    direct.push(await load(hosts, from, hosts.backends[0] ?? ''));
    through.push(await load(hosts, from, vip));
  }
  return { direct, vip: through };
}

export type Ratios = {
  /** Answers per second. */
  readonly rate: number;
  /** CPU of an answer, the other way round. */
  readonly cpu: number;
  /** Sent again through the VIP, per 1,000 answers, over all rounds. */
  readonly again: number;
};

/** 1 is as good as direct and less is worse; of the best round of each, which is the least disturbed one. */
export function ratios({ direct, vip }: Comparison): Ratios {
  const rate = (samples: readonly Sample[]) => Math.max(...samples.map(({ perSecond }) => perSecond));
  const cpu = (samples: readonly Sample[]) => Math.min(...samples.map(({ microseconds }) => microseconds));
  const again = vip.reduce((sum, sample) => sum + sample.again, 0) / vip.length;
  return { rate: rate(vip) / rate(direct), cpu: cpu(direct) / cpu(vip), again };
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
