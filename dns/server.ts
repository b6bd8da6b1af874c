import type { ListenAddress } from '../core/kit/listen.ts';
import type { HotAnswers } from './hot/answers.ts';
import type { Respond } from './respond.ts';
import type { OpenSocket, SocketLayer } from './sockets.ts';
import { openTcp, type TcpLimits } from './tcp.ts';

export type ServerParts = {
  readonly respond: Respond;
  readonly sockets: SocketLayer;
  /** What a socket layer may answer with by itself. */
  readonly hot?: HotAnswers;
  readonly tcp: TcpLimits;
};

type Pair = { readonly udp: OpenSocket; readonly tcp: OpenSocket };

/** Answers on a changing set of addresses, each UDP and TCP on the same port. */
export class DnsServer {
  readonly #parts: ServerParts;
  readonly #open = new Map<string, Pair>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * Makes these all the addresses we listen on: opens what is missing (port 0: always a new one), then closes the rest.
   * Gives the bound addresses in the order of the wanted ones. Throws PortInUse or CannotListen; then what this call
   * opened is closed again and nothing has changed.
   */
  listen(wanted: readonly ListenAddress[]): Promise<readonly ListenAddress[]> {
    const result = this.#turn.then(() => this.#listen(wanted));
    this.#turn = result.catch(() => {});
    return result;
  }

  async stop(): Promise<void> {
    await this.listen([]);
  }

  async #listen(wanted: readonly ListenAddress[]): Promise<readonly ListenAddress[]> {
    const pairs: Pair[] = [];
    const opened: Pair[] = [];
    try {
      for (const at of wanted) {
        const pair = this.#open.get(keyOf(at)) ?? (await openPair(at, this.#parts));
        if (!this.#open.has(keyOf(pair.udp))) opened.push(pair);
        pairs.push(pair);
      }
    } catch (error) {
      await Promise.all(opened.map(closePair));
      throw error;
    }
    for (const pair of opened) this.#open.set(keyOf(pair.udp), pair);
    await this.#closeAllBut(new Set(pairs));
    return pairs.map(({ udp }) => ({ address: udp.address, port: udp.port }));
  }

  async #closeAllBut(wanted: ReadonlySet<Pair>): Promise<void> {
    const unwanted = [...this.#open].filter(([, pair]) => !wanted.has(pair));
    for (const [key] of unwanted) this.#open.delete(key);
    await Promise.all(unwanted.map(([, pair]) => closePair(pair)));
  }
}

const portTries = 8;

/** With port 0 the kernel's choice for UDP may be taken for TCP: then it is asked again. */
async function openPair(at: ListenAddress, parts: ServerParts): Promise<Pair> {
  for (let left = portTries; ; left--) {
    const udp = await parts.sockets.open(at, parts.respond, parts.hot);
    try {
      return { udp, tcp: await openTcp({ ...at, port: udp.port }, parts.respond, parts.tcp) };
    } catch (error) {
      await udp.close();
      if (at.port !== 0 || left === 0) throw error;
    }
  }
}

async function closePair(pair: Pair): Promise<void> {
  await Promise.all([pair.udp.close(), pair.tcp.close()]);
}

function keyOf(at: ListenAddress): string {
  return `${at.address} ${at.port}`;
}
