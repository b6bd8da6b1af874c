/**
 * CPU time per query of one resolver worker on one core, with 10,000 names, A and SRV mixed; against the name servers this
 * machine has, asked for the same names by the same load. Nothing leaves the network namespace of the bench.
 */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { type ChangeSample, measureChanges } from './dns-change.ts';
import { latencyAtHalfLoad } from './dns-half-load.ts';
import { isInstalled, run, setAffinity } from './dns-load.ts';
import { peers, type Served, startEcho, startPeer, startWeirDns } from './dns-servers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds, percentile } from './numbers.ts';

const apps = 5_000;
const rounds = Number(process.argv[2] ?? 3);
const secondsPerRound = 4;
const halfLoadRounds = 3;
const changeRounds = 9;
/** The bounds of the issue: at most, but for `twoOfOne`, at least. ms. */
const bound: Readonly<Record<string, number>> = {
  fastOfKnot: 1.0,
  plainOfBind: 1.1,
  twoOfOne: 1.8,
  p99AtHalfLoad: 1,
  inForce: 50,
  longestQuery: 5,
};

await insideOwnNetwork(import.meta.url, async (folder) => {
  if (!isInstalled('dnsperf')) throw new Error('this bench needs dnsperf');
  const questions = `${folder}/questions`;
  writeFileSync(questions, questionsOf(apps));
  const servers: Served[] = [];
  try {
    for (const sockets of ['fast', 'plain'] as const) servers.push(await startWeirDns(apps, { sockets }));
    servers.push(await startWeirDns(apps, { sockets: 'fast', threads: 2 }), await startEcho());
    for (const peer of peers) {
      const served = await startPeer(peer, { apps, folder: `${folder}/${peer.name}` });
      if (typeof served === 'string') console.log(`not measured: ${peer.name}, ${served}`);
      else servers.push(served);
    }
    const samples = measure(servers, questions);
    const cpu = report(samples);
    const half = await halfLoads(servers, questions, samples);
    for (const server of servers.splice(0)) await server.stop();
    conclude(judged({ cpu, p99: half, change: await changes() }));
  } finally {
    for (const server of servers) await server.stop();
  }
});

/** Of our fast layer, Knot and BIND, by turns: what all of them share is the load's and the machine's. */
async function halfLoads(
  servers: readonly Served[],
  questions: string,
  samples: ReadonlyMap<string, readonly Sample[]>,
): Promise<Readonly<Record<string, number>>> {
  const measured = servers.filter(({ name }) => name === 'weir-fast' || name === 'knot' || name === 'bind');
  const p99: Record<string, number[]> = {};
  for (let round = 0; round < halfLoadRounds; round++) {
    for (const server of measured) {
      const rates = samples.get(server.name)?.map(({ perSecond }) => perSecond) ?? [];
      const perSecond = percentile(rates, 0.5);
      const latencies = latencyAtHalfLoad(server, { questions: server.questions ?? questions, perSecond });
      p99[server.name] = [...(p99[server.name] ?? []), percentile(latencies, 0.99)];
    }
  }
  for (const [name, all] of Object.entries(p99)) {
    const each = all.map(milliseconds).join(', ');
    console.log(`${name} at half load: 99 of 100 questions within ${each}`);
  }
  return Object.fromEntries(Object.entries(p99).map(([name, all]) => [name, percentile(all, 0.5)]));
}

/** A change of 1,000 endpoints, as the processes that matter see it: nothing else on the machine goes before them. */
async function changes(): Promise<{ readonly inForce: number; readonly longestQuery: number }> {
  setPriority(-15);
  const samples = await measureChanges(apps, changeRounds);
  const of = (pick: (sample: ChangeSample) => number) => percentile(samples.map(pick), 0.5);
  for (const { inForce, longest } of samples) {
    console.log(
      `1,000 endpoints: in force in ${milliseconds(inForce)}, longest query ${milliseconds(longest)}`,
    );
  }
  return { inForce: of((sample) => sample.inForce), longestQuery: of((sample) => sample.longest) };
}

type Sample = { readonly microseconds: number; readonly perSecond: number };

/** Round robin over the servers, so that whatever else the machine does meets all of them; a first round warms up. */
function measure(servers: readonly Served[], questions: string): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map(servers.map(({ name }) => [name, [] as Sample[]]));
  for (const server of servers) setAffinity(server.pid, server.cores);
  for (let round = 0; round <= rounds; round++) {
    for (const { name, pid, port, questions: own } of servers) {
      const sample = run({ pid, port, questions: own ?? questions, seconds: secondsPerRound });
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

/** CPU time a query, in µs. */
function report(samples: ReadonlyMap<string, readonly Sample[]>): Readonly<Record<string, number>> {
  const cpu: Record<string, number> = {};
  for (const [name, all] of samples) {
    const times = all.map(({ microseconds }) => microseconds);
    const rate = percentile(
      all.map(({ perSecond }) => perSecond),
      0.5,
    );
    cpu[name] = percentile(times, 0.5);
    const each = times.map((time) => time.toFixed(2)).join(', ');
    console.log(`${name}: ${cpu[name].toFixed(2)} µs a query (${each}), ${Math.round(rate)} queries/s`);
  }
  return cpu;
}

type Measured = {
  readonly cpu: Readonly<Record<string, number>>;
  readonly p99: Readonly<Record<string, number>>;
  readonly change: { readonly inForce: number; readonly longestQuery: number };
};

/** All numbers, and whether every one that has a bound keeps it. One that was not measured does not. */
function judged({ cpu, p99, change }: Measured): Readonly<Record<string, unknown>> {
  const ratio = (name: string, peer: string) => (cpu[name] ?? Number.NaN) / (cpu[peer] ?? Number.NaN);
  const bounded = {
    fastOfKnot: ratio('weir-fast', 'knot'),
    plainOfBind: ratio('weir-plain', 'bind'),
    // what two can carry, by the CPU time that each question takes: two cores do not hold two workers and their load
    twoOfOne: 2 * ratio('weir-fast', 'weir-fast-2'),
    p99AtHalfLoad: p99['weir-fast'] ?? Number.NaN,
    ...change,
  };
  const missed = Object.entries(bounded).filter(([name, value]) => !keeps(name, value));
  return {
    bench: 'dns',
    names: 2 * apps,
    cpuMicrosecondsPerQuery: cpu,
    ...bounded,
    // what node:dgram itself costs, with nothing done but to send the question back
    echoOfBind: ratio('dgram-echo', 'bind'),
    plainOfKnot: ratio('weir-plain', 'knot'),
    p99AtHalfLoadOf: p99,
    bound,
    missed: missed.map(([name]) => name),
    ok: missed.length === 0,
  };
}

function keeps(name: string, value: number): boolean {
  const limit = bound[name] ?? Number.NaN;
  return name === 'twoOfOne' ? value >= limit : value <= limit;
}

function questionsOf(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, app) => `app-${app}.bench.weir A\n_http._tcp.app-${app}.bench.weir SRV\n`,
  );
  return lines.join('');
}
