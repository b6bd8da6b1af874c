/**
 * `probe.ts SECONDS PER-SECOND APP [PORT]`: a well-behaved client on one kept connection after another, by the clock: through what
 * listens on a port (8000: the edge), and as often straight to the app at `ADDRESS:PORT`, which says what the machine itself makes wait. Prints `{edge, straight}`, each
 * `{answered, failed, p50, p99}`; times in milliseconds from when a request was due.
 */
import { Agent, type ClientRequest, request } from 'node:http';

export type Waits = {
  readonly answered: number;
  readonly failed: readonly string[];
  readonly p50: number;
  readonly p99: number;
};
export type ProbeReport = { readonly edge: Waits; readonly straight: Waits };

const [seconds, rate] = process.argv.slice(2).map(Number) as [number, number];
const app = new URL(`http://${process.argv[4]}`);

class Client {
  readonly #place: { readonly host: string; readonly port: number };
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #times: number[] = [];
  readonly #failed: string[] = [];

  constructor(host: string, port: number) {
    this.#place = { host, port };
  }

  ask(dueAt: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const headers = { host: 'edge.example' };
    const call = request({ ...this.#place, agent: this.#agent, headers, timeout: 10_000 }, (response) => {
      if (response.statusCode !== 200) this.#failed.push(`status ${response.statusCode}`);
      response.resume();
      response.on('error', (error) => this.#failed.push(error.message));
      response.on('close', () => {
        this.#times.push(performance.now() - dueAt);
        resolve();
      });
    });
    call.on('timeout', () => call.destroy(new Error(`no answer in 10 s: ${stateOf(call)}`)));
    call.on('error', (error) => {
      this.#failed.push(error.message);
      resolve();
    });
    call.end();
    return promise;
  }

  end(): Waits {
    this.#agent.destroy();
    const times = this.#times.toSorted((a, b) => a - b);
    const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? -1;
    return { answered: times.length, failed: this.#failed, p50: at(0.5), p99: at(0.99) };
  }
}

/** Of a request that was not answered: where to look for it. */
function stateOf({ socket, reusedSocket }: ClientRequest): string {
  if (socket === null) return 'it had no connection';
  const { localPort, connecting, bytesWritten, bytesRead } = socket;
  const state = connecting ? 'not connected' : reusedSocket ? 'kept' : 'new';
  return `port ${localPort}, ${state}, ${bytesWritten} bytes out, ${bytesRead} in, at ${new Date().toISOString()}`;
}

const edge = new Client('127.0.0.1', Number(process.argv[5] ?? 8_000));
const straight = new Client(app.hostname, Number(app.port));
const startAt = performance.now();
const pending: Promise<void>[] = [];
for (let n = 0; n < seconds * rate; n++) {
  const dueAt = startAt + (n * 1_000) / rate;
  const early = dueAt - performance.now();
  if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  pending.push(edge.ask(dueAt), straight.ask(dueAt));
}
await Promise.all(pending);
console.log(JSON.stringify({ edge: edge.end(), straight: straight.end() }));
