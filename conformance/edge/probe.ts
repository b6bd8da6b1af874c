/**
 * `probe.ts SECONDS PER-SECOND`: a well-behaved client on one kept connection after another, by the clock. Prints
 * `{answered, failed, p50, p99}`, times in milliseconds from when a request was due.
 */
import { Agent, request } from 'node:http';

export type ProbeReport = {
  readonly answered: number;
  readonly failed: readonly string[];
  readonly p50: number;
  readonly p99: number;
};

const [seconds = 5, rate = 100] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const times: number[] = [];
const failed: string[] = [];

function ask(dueAt: number): Promise<void> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port: 8000,
      agent,
      headers: { host: 'edge.example' },
      timeout: 10_000,
    };
    const call = request(options, (response) => {
      if (response.statusCode !== 200) failed.push(`status ${response.statusCode}`);
      response.resume();
      response.on('error', (error) => failed.push(error.message));
      response.on('close', () => {
        times.push(performance.now() - dueAt);
        resolve();
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer in 10 s')));
    call.on('error', (error) => {
      failed.push(error.message);
      resolve();
    });
    call.end();
  });
}

const startAt = performance.now();
const pending: Promise<void>[] = [];
for (let n = 0; n < seconds * rate; n++) {
  const dueAt = startAt + (n * 1_000) / rate;
  const early = dueAt - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  pending.push(ask(dueAt));
}
await Promise.all(pending);
agent.destroy();
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? -1;
console.log(JSON.stringify({ answered: times.length, failed, p50: at(0.5), p99: at(0.99) }));
