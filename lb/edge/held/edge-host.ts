import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorCode, errorText } from '../../../core/kit/errors.ts';
import { BindFailed } from '../../../core/kit/listen.ts';
import { type Directory, type DirectoryDelta, emptyDirectory } from '../../../core/model/directory.ts';
import type { EdgeConsumer } from '../consumer.ts';
import type { FullReport } from '../messages.ts';
import type { WhyQuestion } from '../why/why.ts';
import { Channel } from './channel.ts';
import { handOver, type Inheritance, toldFailed, toldServing } from './hand-over.ts';
import {
  type Calls,
  type FromHeld,
  type HeldState,
  type Hello,
  isToHeld,
  type Program,
  protocol,
  type ToHeld,
} from './messages.ts';
import { meetingPlace, ownName, publish, sweep } from './place.ts';
import { Predecessors } from './predecessors.ts';
import { followed } from './same-values.ts';

export type EdgeHostOptions = {
  readonly folder: string;
  /** As text: of whom this edge is of use. */
  readonly settings: string;
  /** How long it goes on without an agent. */
  readonly staysMs: number;
};

/** An edge in a process of its own: agents come and go, and others like it take over; the public does not notice. */
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
  readonly #before = new Predecessors();

  constructor(
    { edge, clock }: { readonly edge: EdgeConsumer; readonly clock: Clock },
    options: EdgeHostOptions,
  ) {
    this.#edge = edge;
    this.#clock = clock;
    this.#options = options;
  }

  /** Resolves when it is to end and has ended: asked to, left alone for too long, or another took over and no client is left. */
  async run(inheritance?: Inheritance): Promise<void> {
    const { folder, staysMs } = this.#options;
    await sweep(folder);
    const place = meetingPlace(folder, ownName(process.pid));
    this.#edge.onReset(() => this.#reset());
    const server = createServer((socket) => this.#take(socket)).listen(place.path);
    server.on('error', () => this.end());
    this.#started = this.#start(inheritance);
    this.#started.catch(() => this.#wait(1_000));
    this.#wait(staysMs);
    await this.#over.promise;
    await this.#shut(server);
    place.close();
  }

  end(): void {
    this.#over.resolve();
  }

  /** Found once it serves, where another serves until then. */
  async #start(inheritance: Inheritance | undefined): Promise<void> {
    const { folder } = this.#options;
    if (inheritance === undefined) {
      await publish(folder, ownName(process.pid));
      return this.#edge.start();
    }
    try {
      this.#directory = inheritance.directory;
      await this.#before.meet(folder, inheritance.predecessors);
      await this.#edge.start(inheritance);
      await publish(folder, ownName(process.pid));
    } catch (error) {
      toldFailed(error);
      throw error;
    }
    await toldServing();
  }

  async #shut(server: Server): Promise<void> {
    server.close();
    await this.#started.catch(() => {});
    await this.#before.end();
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
      said = { id, answer, state: this.#state };
    } catch (error) {
      const code = errorCode(error);
      const place = error instanceof BindFailed ? { address: error.address, port: error.port } : {};
      said = { id, failure: { message: errorText(error), ...(code && { code }), ...place } };
    }
    agent.send(said);
    if (call === 'end') this.end();
  }

  get #state(): HeldState {
    const { listening, generations } = this.#edge;
    const all = [...generations, ...this.#before.generations];
    return { listening, generations: all, listeners: this.#edge.listeners() };
  }

  /** What is asked is of our own code, and fits its call. */
  #do(call: ToHeld['call'], asks: unknown): unknown {
    if (call === 'hello') return this.#hello(asks as Calls['hello']['asks']);
    if (call === 'apply') return this.#alone(() => this.#apply(asks as DirectoryDelta));
    if (call === 'handOver') return this.#alone(() => this.#handOver(asks as Program));
    if (call === 'inFlight') return this.#inFlight();
    if (call === 'reports') return this.#reports();
    if (call === 'why') return this.#edge.why(asks as WhyQuestion);
    if (call === 'end') return undefined;
    return this.#edge[call]();
  }

  async #hello({ protocol: spoken, settings }: Calls['hello']['asks']): Promise<Hello> {
    const fits = spoken === protocol && settings === this.#options.settings;
    if (fits) await this.#started;
    const { revision, store } = this.#directory;
    const handsOver = spoken === protocol && ({ handsOver: true } as const);
    return { fits, pid: process.pid, revision, ...(store !== undefined && { store }), ...handsOver };
  }

  async #apply(delta: DirectoryDelta): Promise<number> {
    const before = this.#directory;
    const directory = followed(before, delta);
    const fits = delta.from !== 0 && delta.from === before.revision;
    const [revision] = await Promise.all([
      this.#edge.apply(directory, fits ? delta : undefined),
      this.#before.apply(delta),
    ]);
    this.#directory = directory;
    return revision;
  }

  /** Lets its clients go once the next one serves, and ends when they are gone. */
  async #handOver(program: Program): Promise<undefined> {
    const { folder } = this.#options;
    await this.#started;
    const predecessors = [ownName(process.pid), ...this.#before.names];
    const inheritance = { ...this.#edge.handed(), directory: this.#directory, predecessors };
    await handOver(program, inheritance, { folder, clock: this.#clock });
    this.#before.letGo();
    void this.#edge.leave().then(() => this.end());
  }

  async #inFlight(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map(await this.#edge.inFlight());
    for (const [instance, count] of await this.#before.inFlight())
      counts.set(instance, (counts.get(instance) ?? 0) + count);
    return counts;
  }

  async #reports(): Promise<readonly FullReport[]> {
    return [...(await this.#edge.reports()), ...(await this.#before.reports())];
  }

  /** One after the other, also of two agents that take turns. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#applying.then(run);
    this.#applying = turn.catch(() => {});
    return turn;
  }

  /** A worker is given what is installed by the edge itself; the agent hears that it was away. */
  #reset(): void {
    for (const agent of this.#agents) agent.send({ event: 'reset' } satisfies FromHeld);
  }
}
