import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../core/kit/errors.ts';
import { Agent } from '../agent.ts';
import { testAgent } from './assignments.ts';
import { Lifetime } from './lifetime.ts';
import type { TestWorld } from './world.ts';

const never = Number.POSITIVE_INFINITY;

/** Agents one after the other on one machine, each with the files as they were when the one before was killed. */
export class Processes {
  readonly deaths: string[] = [];
  readonly #world: TestWorld;
  readonly #folder: string;
  readonly #lives: readonly number[];
  dataDir: string;
  #agent: Agent | undefined;
  #lifetime: Lifetime | undefined;
  #started = false;

  constructor(world: TestWorld, folder: string, lives: readonly number[]) {
    this.#world = world;
    this.#folder = folder;
    this.#lives = lives;
    this.dataDir = world.dataDir;
  }

  get alive(): boolean {
    return this.#started;
  }

  /** One that is killed while it starts never comes to its end: nobody waits for it. */
  begin(): void {
    void this.#open();
  }

  async #open(): Promise<void> {
    const lifetime: Lifetime = new Lifetime(this.#lives[this.deaths.length] ?? never, () =>
      this.#die(lifetime),
    );
    this.#lifetime = lifetime;
    this.#agent = new Agent(this.#dependencies(lifetime), { record: testAgent, dataDir: this.dataDir });
    await this.#agent.start();
    if (!lifetime.dead) this.#started = true;
  }

  end(): Promise<void> {
    this.#lifetime?.spare();
    return this.#agent?.stop() ?? Promise.resolve();
  }

  #die(lifetime: Lifetime): void {
    this.deaths.push(lifetime.lastAct);
    this.#started = false;
    const copy = join(this.#folder, String(this.deaths.length));
    copyAsItIs(this.dataDir, copy);
    this.dataDir = copy;
    this.#world.master.hangUp();
    this.begin();
  }

  #dependencies(lifetime: Lifetime) {
    const { host, master, clock } = this.#world;
    const own = this.#world.dependencies();
    const runtime = lifetime.guard(own.runtime, ['list', 'create', 'start', 'stop', 'remove']);
    const port = lifetime.guard(master, ['report']);
    return {
      ...own,
      runtime: Object.assign(runtime, {
        exits: (signal: AbortSignal) => lifetime.stream(own.runtime.exits(signal)),
      }),
      attacher: lifetime.guard(host, ['attach', 'detach']),
      namespaces: lifetime.guard(host, ['create', 'remove']),
      networks: lifetime.guard(host, ['recover']),
      volumes: lifetime.guard(host.volumes, ['create', 'remove', 'keep']),
      master: Object.assign(port, {
        connect: (...args: Parameters<typeof master.connect>) => lifetime.stream(master.connect(...args)),
      }),
      clock: lifetime.clock(clock),
    };
  }
}

/** The dying agent's writes go on while its files are copied; one that is renamed under the copier is copied again. */
function copyAsItIs(from: string, to: string): void {
  for (;;) {
    try {
      cpSync(from, to, { recursive: true });
      return;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      rmSync(to, { recursive: true, force: true });
    }
  }
}
