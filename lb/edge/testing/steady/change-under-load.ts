import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../../core/kit/clock.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import type { Certificate } from '../../../../core/model/certificate.ts';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  emptyDirectory,
} from '../../../../core/model/directory.ts';
import { EdgeConsumer } from '../../consumer.ts';
import type { KeyAndCertificate } from '../../tls/certificates.ts';
import { endpoint, route } from '../peers.ts';
import { TestAuthority } from '../test-authority.ts';
import type { SteadyOptions, SteadyReport } from './report.ts';

export type ChangeOptions = Pick<SteadyOptions, 'rate' | 'sockets'> & {
  /** Of each kind: routes, certificates, endpoints. */
  readonly changes: number;
  readonly changesPerSecond: number;
  /** For certificates. */
  readonly folder: string;
};

const host = 'steady.test';
/** Routes of others, all there from the start. */
const otherRoutes = 1_000;

/**
 * An edge in its own process, a service behind it and clients in front of it; then routes of others, the service's certificate, and
 * endpoints, others' and the service's own, change one after the other. Gives what the clients saw.
 */
export async function changeUnderLoad(options: ChangeOptions): Promise<SteadyReport> {
  const authority = new TestAuthority(options.folder, 'steady');
  const pairs = [authority.issue(host, 'serverAuth'), authority.issue(host, 'serverAuth')];
  // For clients that name no host; there are none.
  const certificate = async () => pairs[0]!;
  const edge = new EdgeConsumer(
    { clock: systemClock, log: silentLog, certificate },
    { httpPort: 0, httpsPort: 0 },
  );
  const running: ChildProcess[] = [];
  try {
    const backend = program('backend.ts', '3');
    running.push(backend);
    const ports = JSON.parse(`${(await once(backend.stdout!, 'data'))[0]}`) as readonly number[];
    const changing = new Changing(edge, ports, pairs);
    await edge.start();
    await changing.begin();
    const portOf = (wanted: string) => edge.listening.find(({ scheme }) => scheme === wanted)?.port ?? 0;
    const { rate, sockets } = options;
    const steady: SteadyOptions = { host, http: portOf('http'), https: portOf('https'), rate, sockets };
    const client = program('client.ts', JSON.stringify(steady));
    running.push(client);
    let output = '';
    client.stdout!.on('data', (text: Buffer) => {
      output += text.toString();
    });
    await once(client.stdout!, 'data');
    await changing.change(options);
    client.stdin!.end();
    await once(client, 'exit');
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as SteadyReport;
  } finally {
    for (const child of running) child.kill('SIGKILL');
    await edge.stop();
  }
}

/** The Directory that changes, and the edge that is told. */
class Changing {
  readonly #edge: EdgeConsumer;
  readonly #ports: readonly number[];
  readonly #pairs: readonly KeyAndCertificate[];
  #directory: Directory = emptyDirectory;

  constructor(edge: EdgeConsumer, ports: readonly number[], pairs: readonly KeyAndCertificate[]) {
    this.#edge = edge;
    this.#ports = ports;
    this.#pairs = pairs;
  }

  async begin(): Promise<void> {
    const others = Array.from({ length: otherRoutes }, (_, n) => this.#otherRoute(n, 0));
    await this.#apply({
      endpoints: { set: [this.#own(0), this.#own(1)], gone: [] },
      routes: { set: [route({ host }), ...others], gone: [] },
      certificates: { set: [this.#certificate(0)], gone: [] },
    });
  }

  async change({ changes, changesPerSecond }: ChangeOptions): Promise<void> {
    const startedAt = performance.now();
    for (let n = 0; n < 3 * changes; n++) {
      const early = startedAt + (n * 1_000) / changesPerSecond - performance.now();
      if (early > 0) await pause(early);
      await this.#apply(this.#nth(n));
    }
  }

  #nth(n: number): Omit<DirectoryDelta, 'from' | 'revision'> {
    const round = Math.floor(n / 3);
    switch (n % 3) {
      case 0:
        return { routes: { set: [this.#otherRoute(round % otherRoutes, round)], gone: [] } };
      case 1:
        return { certificates: { set: [this.#certificate(round)], gone: [] } };
      default:
        return { endpoints: this.#endpoints(round) };
    }
  }

  /** Every tenth is the service's own third endpoint, which comes and goes; the others are of another service. */
  #endpoints(round: number): NonNullable<DirectoryDelta['endpoints']> {
    const own = round % 10 === 0;
    const which = own
      ? this.#own(2)
      : endpoint({ app: '/other', id: `other-${round % 50}`, port: this.#ports[0]! });
    const comes = own ? (round / 10) % 2 === 0 : Math.floor(round / 50) % 2 === 0;
    return comes ? { set: [which], gone: [] } : { set: [], gone: [which.instanceId] };
  }

  #own(n: number) {
    return endpoint({ id: `web-${n}`, port: this.#ports[n]! });
  }

  #otherRoute(n: number, round: number) {
    const other = `other-${n}.test`;
    return { ...route({ host: other, app: '/other', id: other }), owner: `route:${round}` };
  }

  #certificate(round: number): Certificate {
    const { key, cert } = this.#pairs[round % this.#pairs.length]!;
    return { name: 'steady', chain: cert, key, hosts: [host], notBefore: 0, notAfter: 8.64e15 };
  }

  async #apply(delta: Omit<DirectoryDelta, 'from' | 'revision'>): Promise<void> {
    const { revision } = this.#directory;
    const whole = { from: revision, revision: revision + 1, ...delta };
    this.#directory = applyDelta(this.#directory, whole);
    await this.#edge.apply(this.#directory, whole);
  }
}

function program(name: string, argument: string): ChildProcess {
  const file = fileURLToPath(new URL(name, import.meta.url));
  return spawn(process.execPath, [file, argument], { stdio: ['pipe', 'pipe', 'inherit'] });
}
