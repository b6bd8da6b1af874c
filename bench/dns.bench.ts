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
const bound = { fastOfKnot: 1.0, plainOfBind: 1.1, twoOfOne: 1.8 };

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
    conclude({ ...cpu, ...half, ...(await changes()) });
  } finally {
    for (const server of servers) await server.stop();
  }
});

/** Of our fast layer and of Knot, by turns. */
async function halfLoads(
  servers: readonly Served[],
  questions: string,
  samples: ReadonlyMap<string, readonly Sample[]>,
): Promise<Readonly<Record<string, unknown>>> {
  const measured = servers.filter(({ name }) => name === 'weir-fast' || name === 'knot');
  const p99: Record<string, number[]> = {};
  for (let round = 0; round < halfLoadRounds; round++) {
    for (const server of measured) {
      const rates = samples.get(server.name)?.map(({ perSecond }) => perSecond) ?? [];
      const perSecond = percentile(rates, 0.5);
      const latencies = await latencyAtHalfLoad(server, { questions, perSecond });
      p99[server.name] = [...(p99[server.name] ?? []), percentile(latencies, 0.99)];
    }
  }
  for (const [name, all] of Object.entries(p99)) {
    const each = all.map(milliseconds).join(', ');
    console.log(`${name} at half load: 99 of 100 questions within ${each}`);
  }
  const medians = Object.entries(p99).map(([name, all]) => [name, percentile(all, 0.5)]);
  return { p99AtHalfLoadMs: Object.fromEntries(medians) };
}

/** A change of 1,000 endpoints, as the processes that matter see it: nothing else on the machine goes before them. */
async function changes(): Promise<Readonly<Record<string, unknown>>> {
  setPriority(-15);
  const samples = await measureChanges(apps, 5);
  const of = (pick: (sample: ChangeSample) => number) => percentile(samples.map(pick), 0.5);
  const change = {
    inForceMs: of((sample) => sample.inForce),
    longestQueryMs: of((sample) => sample.longest),
  };
  for (const { inForce, longest } of samples) {
    console.log(
      `1,000 endpoints: in force in ${milliseconds(inForce)}, longest query ${milliseconds(longest)}`,
    );
  }
  return { change };
}

type Sample = { readonly microseconds: number; readonly perSecond: number };

/** Round robin over the servers, so that whatever else the machine does meets all of them; a first round warms up. */
function measure(servers: readonly Served[], questions: string): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map(servers.map(({ name }) => [name, [] as Sample[]]));
  for (const server of servers) setAffinity(server.pid, server.cores);
  for (let round = 0; round <= rounds; round++) {
    for (const { name, pid, port } of servers) {
      const sample = run({ pid, port, questions, seconds: secondsPerRound });
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): Readonly<Record<string, unknown>> {
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
  const ratio = (name: string, peer: string) =>
    cpu[name] === undefined || cpu[peer] === undefined ? undefined : cpu[name] / cpu[peer];
  const fastOfKnot = ratio('weir-fast', 'knot');
  return {
    bench: 'dns',
    names: 2 * apps,
    cpuMicrosecondsPerQuery: cpu,
    ratios: {
      fastOfKnot,
      plainOfKnot: ratio('weir-plain', 'knot'),
      plainOfBind: ratio('weir-plain', 'bind'),
      // what node:dgram itself costs, with nothing done but to send the question back
      echoOfBind: ratio('dgram-echo', 'bind'),
      // what two can carry, by the CPU time that each question takes: two cores do not hold two workers and their load
      twoOfOne: 2 * (ratio('weir-fast', 'weir-fast-2') ?? Number.NaN),
    },
    bound,
    ok: fastOfKnot !== undefined && fastOfKnot <= bound.fastOfKnot,
  };
}

function questionsOf(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, app) => `app-${app}.bench.weir A\n_http._tcp.app-${app}.bench.weir SRV\n`,
  );
  return lines.join('');
}
