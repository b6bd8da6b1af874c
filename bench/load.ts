import { Agent, request } from 'node:http';
import { errorText } from '../core/kit/errors.ts';

export type Load = {
  /** Ends the load, waits for what is under way, and gives the outcome. */
  finish(): Promise<Outcome>;
};

export type Outcome = {
  readonly answered: number;
  /** Anything but a 200, by what happened. */
  readonly failures: Readonly<Record<string, number>>;
  /** Instances that answered. */
  readonly instances: number;
  /** Datagrams that had to be sent twice, because the first was lost. */
  readonly again?: number;
  /** Answered, but later than a client waits before it asks again. */
  readonly late?: number;
};

export type LoadOptions = {
  /** An address, or where to get one for each request. */
  readonly host: string | (() => Promise<string>);
  readonly port: number;
  readonly name: string;
  /** Requests a second, sent by the clock whether or not earlier ones are answered. */
  readonly rate: number;
  /** Keep connections open between requests. */
  readonly keepAlive: boolean;
};

/** A steady open-loop load. A request without an answer within 5 s counts as failed. */
export function startLoad({ host, port, name, rate, keepAlive }: LoadOptions): Load {
  const agent = new Agent({ keepAlive, maxSockets: 256 });
  const failures: Record<string, number> = {};
  const bodies = new Set<string>();
  const pending = new Set<Promise<void>>();
  let answered = 0;
  const fail = (what: string) => {
    failures[what] = (failures[what] ?? 0) + 1;
  };
  const addressOf = typeof host === 'string' ? async () => host : host;
  const one = () => addressOf().then(ask, (error: unknown) => fail(`cannot resolve: ${errorText(error)}`));
  const ask = (address: string) =>
    new Promise<void>((resolve) => {
      const call = request(
        { host: address, port, agent, headers: { host: name }, timeout: 5_000 },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            body += part;
          });
          response.on('error', (error) => fail(error.message));
          response.on('end', () => {
            if (response.statusCode === 200) answered += 1;
            else fail(`status ${response.statusCode}`);
            bodies.add(body);
          });
          response.on('close', resolve);
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer within 5 s')));
      call.on('error', (error) => {
        fail(error.message);
        resolve();
      });
      call.end();
    });
  const timer = setInterval(() => {
    const sent = one().finally(() => pending.delete(sent));
    pending.add(sent);
  }, 1000 / rate);
  return {
    async finish() {
      clearInterval(timer);
      await Promise.all(pending);
      agent.destroy();
      return { answered, failures, instances: bodies.size };
    },
  };
}
