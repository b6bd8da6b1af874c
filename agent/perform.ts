import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { isHostMode, isPod } from '../core/model/app.ts';
import type { InstanceState } from '../core/model/instance.ts';
import type { Assignment } from '../core/model/master-port.ts';
import type { Pod } from '../core/model/pod.ts';
import { type Attacher, attachAll, detachAll, type Namespaces } from './attach.ts';
import { containersOf, type InstanceContainer, ownerOf } from './containers.ts';
import type { AgentAction } from './decide.ts';
import type { Instances } from './instances.ts';
import { podEnded, withStarted, withStopped } from './pod-ends.ts';
import { howOf, type InstanceRecord } from './record.ts';
import type { ContainerEnd, ContainerRuntime, ContainerSpec } from './runtime.ts';
import type { Volumes } from './volumes.ts';

export type PerformDependencies = {
  readonly runtime: ContainerRuntime;
  readonly attacher: Attacher;
  readonly namespaces: Namespaces;
  readonly volumes: Volumes;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly log: Log;
  /** The containers of an assignment, once its network is there. */
  readonly specsOf: (assignment: Assignment, record: InstanceRecord) => Promise<readonly ContainerSpec[]>;
  /** Name of an instance's network namespace. */
  readonly namespaceName: (key: string) => string;
};

type Ended = { readonly name: string | undefined; readonly end: ContainerEnd };

/** The only place where an agent acts on its instances. Each action may be repeated, also after a crash in its middle. */
export class Performer {
  readonly #dependencies: PerformDependencies;

  constructor(dependencies: PerformDependencies) {
    this.#dependencies = dependencies;
  }

  async perform(action: AgentAction, signal: AbortSignal): Promise<void> {
    switch (action.kind) {
      case 'launch':
        return this.#launch(action.key, action.assignment, signal);
      case 'decline':
        return this.#decline(action.key, action.assignment);
      case 'stop':
        return this.#stop(action.key, action.reason);
      case 'clean':
        return this.#clean(action.key);
      case 'forget':
        return this.#dependencies.instances.forget(action.key);
    }
  }

  /** Records the end of a container that was seen to end, whoever wanted it. */
  async ended(id: string, end: ContainerEnd): Promise<void> {
    const { instances, clock } = this.#dependencies;
    const { key = id, name } = ownerOf(id, instances.all) ?? {};
    await instances.update(key, (record) => {
      if (name !== undefined) return podEnded(record, { name, end, now: clock.now() });
      const { state } = record;
      if (state.kind === 'ended') return undefined;
      const { at, exitCode, reason } = end;
      const how = howOf(state, end);
      return { state: { kind: 'ended', at, how, reason, ...(exitCode === undefined ? {} : { exitCode }) } };
    });
  }

  async #launch(key: string, assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { runtime, instances, volumes, clock, log } = this.#dependencies;
    const netns = isHostMode(assignment.app)
      ? undefined
      : this.#dependencies.namespaces.path(this.#dependencies.namespaceName(key));
    // Outside of what is recorded as a failed start: without a record there is nothing to write that into.
    await instances.put(key, {
      assignment,
      stagedAt: clock.now(),
      state: this.#staging('attaching'),
      addresses: [],
      cleaned: false,
      ...(netns === undefined ? {} : { netns }),
    });
    try {
      if (netns !== undefined) await this.#attach(key, assignment, { netns, signal });
      signal.throwIfAborted();
      if (isPod(assignment.app)) await volumes.create(key, sharedFolders(assignment.app.pod));
      for (const spec of await this.#dependencies.specsOf(assignment, instances.get(key)!)) {
        await runtime.create(spec, signal);
        signal.throwIfAborted();
      }
      await instances.update(key, ({ state }) =>
        state.kind === 'staging' ? { state: this.#staging('starting') } : undefined,
      );
      for (const container of containersOf(assignment)) await this.#start(key, container, signal);
      await this.#running(key);
    } catch (error) {
      const reason = signal.aborted ? 'stopped while it was being started' : errorText(error);
      if (!signal.aborted) log.warn('instance could not be started', { key, reason });
      await this.#end(key, {
        kind: 'ended',
        at: clock.now(),
        how: signal.aborted ? 'killed' : 'failed',
        reason,
      });
    }
  }

  /** The namespace's path is on record before it is made, so that a crash in between leaves nothing behind. */
  async #attach(
    key: string,
    assignment: Assignment,
    where: { netns: string; signal: AbortSignal },
  ): Promise<void> {
    const { attacher, namespaces, instances } = this.#dependencies;
    await namespaces.create(this.#dependencies.namespaceName(key));
    const addresses = await attachAll(attacher, assignment, where);
    await instances.update(key, { addresses, state: this.#staging('fetching') });
  }

  #staging(step: 'attaching' | 'fetching' | 'starting'): InstanceState {
    return { kind: 'staging', step, since: this.#dependencies.clock.now() };
  }

  async #running(key: string): Promise<void> {
    const { instances, clock } = this.#dependencies;
    await instances.update(key, ({ state, addresses, assignment }) => {
      // It may have ended already: that is known first when a program fails at once.
      if (state.kind !== 'staging') return undefined;
      const health = assignment.app.healthChecks.map(() => null);
      return { state: { kind: 'running', since: clock.now(), addresses, health } };
    });
  }

  async #start(key: string, { id, name }: InstanceContainer, signal: AbortSignal): Promise<void> {
    const { runtime, instances, clock } = this.#dependencies;
    signal.throwIfAborted();
    await runtime.start(id);
    if (name === undefined) return;
    await instances.update(key, (record) => ({ containers: withStarted(record, name, clock.now()) }));
  }

  async #decline(key: string, assignment: Assignment): Promise<void> {
    const { instances, clock } = this.#dependencies;
    const at = clock.now();
    const state: InstanceState = {
      kind: 'ended',
      at,
      how: 'killed',
      reason: 'stopped before it was started',
    };
    await instances.put(key, { assignment, stagedAt: at, state, addresses: [], cleaned: true });
  }

  async #stop(key: string, reason: string): Promise<void> {
    const { instances, clock } = this.#dependencies;
    const record = instances.get(key);
    if (record === undefined || record.state.kind === 'ended') return;
    await instances.update(key, ({ state }) =>
      state.kind === 'ended' ? undefined : { state: { kind: 'killing', since: clock.now() } },
    );
    const ends = await this.#stopAll(containersOf(record.assignment));
    await this.#noteEnds(key, ends);
    const end = ends.at(-1)?.end;
    await this.#end(key, {
      kind: 'ended',
      at: end?.at ?? clock.now(),
      how: 'killed',
      reason,
      ...(end?.exitCode === undefined ? {} : { exitCode: end.exitCode }),
    });
  }

  /** Together, each with its own grace. Those that are not there (any more) have no end to tell. */
  async #stopAll(containers: readonly InstanceContainer[]): Promise<readonly Ended[]> {
    const { runtime } = this.#dependencies;
    const present = new Set((await runtime.list()).map(({ id }) => id));
    return Promise.all(
      containers
        .filter(({ id }) => present.has(id))
        .map(async ({ id, name, graceMs }) => ({ name, end: await runtime.stop(id, graceMs) })),
    );
  }

  async #noteEnds(key: string, ends: readonly Ended[]): Promise<void> {
    const named = ends.flatMap(({ name, end }) => (name === undefined ? [] : [{ name, end }]));
    if (named.length === 0) return;
    await this.#dependencies.instances.update(key, (record) => ({ containers: withStopped(record, named) }));
  }

  async #clean(key: string): Promise<void> {
    const { runtime, attacher, namespaces, volumes, instances } = this.#dependencies;
    const record = instances.get(key);
    if (record === undefined) return;
    for (const { id } of containersOf(record.assignment)) await runtime.remove(id);
    if (isPod(record.assignment.app)) await volumes.remove(key);
    if (!isHostMode(record.assignment.app)) {
      await detachAll(attacher, record.assignment, record.netns ?? '');
      if (record.netns !== undefined) await namespaces.remove(record.netns);
    }
    await instances.update(key, { cleaned: true });
  }

  async #end(key: string, state: Extract<InstanceState, { kind: 'ended' }>): Promise<void> {
    await this.#dependencies.instances.update(key, (record) =>
      record.state.kind === 'ended'
        ? undefined
        : { state: record.failed === undefined ? state : { ...state, ...record.failed } },
    );
  }
}

function sharedFolders({ volumes }: Pod): readonly string[] {
  return volumes.filter(({ host, kept }) => host === undefined && kept === undefined).map(({ name }) => name);
}
