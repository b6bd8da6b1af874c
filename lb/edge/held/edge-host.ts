import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorCode, errorText } from '../../../core/kit/errors.ts';
import { BindFailed } from '../../../core/kit/listen.ts';
import { type Directory, type DirectoryDelta, emptyDirectory } from '../../../core/model/directory.ts';
import type { EdgeConsumer } from '../consumer.ts';
import type { WhyQuestion } from '../why/why.ts';
import { Channel } from './channel.ts';
import { type Calls, type FromHeld, type Hello, isToHeld, protocol, type ToHeld } from './messages.ts';
import { meetingPlace } from './place.ts';
import { followed } from './same-values.ts';

export type EdgeHostOptions = {
  readonly folder: string;
  /** As text: of whom this edge is of use. */
  readonly settings: string;
  /** How long it goes on without an agent. */
  readonly staysMs: number;
};

/** An edge in a process of its own: agents come and go, the public does not notice. */
export class EdgeHost {
  readonly #edge: EdgeConsumer;
  readonly #clock: Clock;
  readonly #options: EdgeHostOptions;
  readonly #agents = new Set<Channel>();
  readonly #over = Promise.withResolvers<void>();
  #waiting: AbortController | undefined;
  #started: Promise<void> = Promise.resolve();
  #directory: Directory = emptyDirectory;
  #applying: Promise<unknown> = Promise.resolve();

  constructor(
    { edge, clock }: { readonly edge: EdgeConsumer; readonly clock: Clock },
    options: EdgeHostOptions,
  ) {
    this.#edge = edge;
    this.#clock = clock;
    this.#options = options;
  }

  /** Resolves when it is to end and has ended: asked to, or left alone for too long. */
  async run(): Promise<void> {
    const place = meetingPlace(this.#options.folder);
    await rm(place.path, { force: true });
    this.#edge.onReset(() => this.#reset());
    this.#started = this.#edge.start();
    this.#started.catch(() => this.#wait(1_000));
    const server = createServer((socket) => this.#take(socket)).listen(place.path);
    server.on('error', () => this.end());
    this.#wait(this.#options.staysMs);
    await this.#over.promise;
    await this.#shut(server, place.path);
    place.close();
  }

  end(): void {
    this.#over.resolve();
  }

  async #shut(server: Server, path: string): Promise<void> {
    server.close();
    await rm(path, { force: true });
    await this.#started.catch(() => {});
    await this.#edge.stop();
    for (const agent of this.#agents) agent.close();
  }

  #take(socket: Socket): void {
    const agent = new Channel(socket, {
      message: (value) => {
        if (isToHeld(value)) void this.#answer(agent, value);
      },
      closed: () => {
        this.#agents.delete(agent);
        if (this.#agents.size === 0) this.#wait(this.#options.staysMs);
      },
    });
    this.#agents.add(agent);
    this.#waiting?.abort();
  }

  #wait(ms: number): void {
    const waiting = new AbortController();
    this.#waiting?.abort();
    this.#waiting = waiting;
    this.#clock.sleep(ms, waiting.signal).then(
      () => this.end(),
      () => {},
    );
  }

  async #answer(agent: Channel, { id, call, asks }: ToHeld): Promise<void> {
    let said: FromHeld;
    try {
      const answer = await this.#do(call, asks);
      const { listening, generations } = this.#edge;
      said = { id, answer, state: { listening, generations, listeners: this.#edge.listeners() } };
    } catch (error) {
      const code = errorCode(error);
      const place = error instanceof BindFailed ? { address: error.address, port: error.port } : {};
      said = { id, failure: { message: errorText(error), ...(code && { code }), ...place } };
    }
    agent.send(said);
    if (call === 'end') this.end();
  }

  /** What is asked is of our own code, and fits its call. */
  #do(call: ToHeld['call'], asks: unknown): unknown {
    if (call === 'hello') return this.#hello(asks as Calls['hello']['asks']);
    if (call === 'apply') return this.#apply(asks as DirectoryDelta);
    if (call === 'why') return this.#edge.why(asks as WhyQuestion);
    if (call === 'end') return undefined;
    return this.#edge[call]();
  }

  async #hello({ protocol: spoken, settings }: Calls['hello']['asks']): Promise<Hello> {
    const fits = spoken === protocol && settings === this.#options.settings;
    if (fits) await this.#started;
    const { revision, store } = this.#directory;
    return { fits, pid: process.pid, revision, ...(store !== undefined && { store }) };
  }

  /** One after the other, also of two agents that take turns. */
  #apply(delta: DirectoryDelta): Promise<number> {
    const applied = this.#applying.then(async () => {
      const before = this.#directory;
      const directory = followed(before, delta);
      const fits = delta.from !== 0 && delta.from === before.revision;
      const revision = await this.#edge.apply(directory, fits ? delta : undefined);
      this.#directory = directory;
      return revision;
    });
    this.#applying = applied.catch(() => {});
    return applied;
  }

  /** A worker is given what is installed by the edge itself; the agent hears that it was away. */
  #reset(): void {
    for (const agent of this.#agents) agent.send({ event: 'reset' } satisfies FromHeld);
  }
}
