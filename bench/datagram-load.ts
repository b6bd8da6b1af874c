import { createSocket, type Socket } from 'node:dgram';
import { errorText } from '../core/kit/errors.ts';
import type { Load } from './load.ts';

export type DatagramLoadOptions = {
  /** An address, or where to get one for each question. */
  readonly host: string | (() => Promise<string>);
  readonly port: number;
  /** Questions a second. */
  readonly rate: number;
  /** `connected`, `one`: one socket for all, connected or not; `each`: one for each question. */
  readonly socket: 'connected' | 'one' | 'each';
};

/** A question without an answer is asked once more, as resolvers do; then it has failed. ms each. */
const patienceMs = 2_000;

/** A steady load of datagrams, each of which is to be answered with its own number. */
export function startDatagramLoad({ host, port, rate, socket: kind }: DatagramLoadOptions): Load {
  const waiting = new Map<string, () => void>();
  const failures: Record<string, number> = {};
  const bodies = new Set<string>();
  const pending = new Set<Promise<void>>();
  /** Asked a second time, and the first time without an answer to this day. */
  const lost = new Set<string>();
  let [answered, asked, late] = [0, 0, 0];
  const fail = (what: string) => {
    failures[what] = (failures[what] ?? 0) + 1;
  };
  const open = (): Socket =>
    createSocket('udp4')
      .on('error', (error) => fail(error.message))
      .on('message', (data) => {
        const [question = '', body = ''] = String(data).split(' ');
        const [id = '', turn] = question.split('.');
        bodies.add(body);
        if (turn === '1' && lost.delete(id)) late += 1;
        waiting.get(id)?.();
      });
  const shared = kind === 'each' ? undefined : open();
  const addressOf = typeof host === 'string' ? async () => host : host;
  const connected =
    shared !== undefined && kind === 'connected'
      ? addressOf().then(
          (address) => new Promise<void>((resolve) => shared.connect(port, address, () => resolve())),
        )
      : undefined;
  const ask = async (socket: Socket, question: string): Promise<void> => {
    if (connected === undefined) socket.send(question, port, await addressOf());
    else await connected.then(() => socket.send(question));
  };
  const answer = (id: string) =>
    new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), patienceMs);
      waiting.set(id, () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  const one = async (): Promise<void> => {
    const id = String(++asked);
    const socket = shared ?? open();
    try {
      await ask(socket, `${id}.1`);
      if (!(await answer(id))) {
        lost.add(id);
        await ask(socket, `${id}.2`);
        if (!(await answer(id))) return fail(`no answer to two questions`);
      }
      answered += 1;
    } catch (error) {
      fail(errorText(error));
    } finally {
      waiting.delete(id);
      if (shared === undefined) socket.close();
    }
  };
  const timer = setInterval(() => {
    const sent = one().finally(() => pending.delete(sent));
    pending.add(sent);
  }, 1_000 / rate);
  return {
    async finish() {
      clearInterval(timer);
      await Promise.all(pending);
      shared?.close();
      return { answered, failures, instances: bodies.size, again: lost.size, late };
    },
  };
}
