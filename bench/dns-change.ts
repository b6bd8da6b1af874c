import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import { applyDelta, type Directory, type DirectoryDelta } from '../core/model/directory.ts';
import { DnsConsumer } from '../dns/consumer.ts';
import { directoryOf, endpointOf } from './dns-directory.ts';
import { percentile } from './numbers.ts';

export type ChangeSample = {
  /** From the change being known to every answer being right, in ms. */
  readonly inForce: number;
  /** The longest that a question waited meanwhile, and what 99 of 100 did not, in ms. */
  readonly longest: number;
  readonly p99: number;
};

const changed = 1_000;
const types = { A: 1, SRV: 33 };

/** Changes the addresses of 1,000 of the endpoints while questions come every millisecond. */
export async function measureChanges(apps: number, rounds: number): Promise<readonly ChangeSample[]> {
  const dns = new DnsConsumer(
    { clock: systemClock, log: createLog({ level: 'warn' }) },
    { listen: [{ address: '127.0.0.1', port: 0 }] },
  );
  await dns.start();
  try {
    let directory = directoryOf(apps);
    await dns.apply(directory, undefined);
    const samples: ChangeSample[] = [];
    for (let round = 0; round <= rounds; round++) {
      const next = change(directory, round);
      const sample = await sampleOf(dns, next);
      directory = next.directory;
      // the first finds everything cold
      if (round > 0) samples.push(sample);
    }
    return samples;
  } finally {
    await dns.stop();
  }
}

type Change = { readonly directory: Directory; readonly delta: DirectoryDelta };

function change(directory: Directory, round: number): Change {
  const set = Array.from({ length: changed }, (_, app) =>
    endpointOf(app, round % 2 === 0 ? '100.65' : '100.66'),
  );
  const { revision } = directory;
  const delta = { from: revision, revision: revision + 1, endpoints: { set, gone: [] } };
  return { delta, directory: applyDelta(directory, delta) };
}

async function sampleOf(dns: DnsConsumer, { directory, delta }: Change): Promise<ChangeSample> {
  let inForce = Number.NaN;
  const latencies = await probe(dns.bound[0]!.port, async () => {
    const startedAt = performance.now();
    await dns.apply(directory, delta);
    inForce = performance.now() - startedAt;
  });
  return { inForce, longest: Math.max(...latencies), p99: percentile(latencies, 0.99) };
}

/** How long each answer took, in ms, of questions that come every millisecond while `work` goes on. */
export async function probe(port: number, work: () => Promise<void>): Promise<readonly number[]> {
  const client = new Worker(new URL('./dns-change-client.ts', import.meta.url), {
    workerData: { port, packets: questions() },
  });
  await once(client, 'message');
  await work();
  client.postMessage('stop');
  const [latencies]: [readonly number[]] = (await once(client, 'message')) as [readonly number[]];
  return latencies;
}

/** Of apps that change and of others. */
function questions(): readonly Uint8Array[] {
  return Array.from({ length: 200 }, (_, i) => [
    question(`app-${i * 13}.bench.weir`, types.A),
    question(`_app-${i * 13}-bench._tcp.marathon.mesos`, types.SRV),
  ]).flat();
}

function question(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => String.fromCharCode(label.length) + label);
  const head = Buffer.from('000001000001000000000000', 'hex');
  return Buffer.concat([head, Buffer.from(`${labels.join('')}\0`, 'latin1'), Buffer.from([0, type, 0, 1])]);
}
