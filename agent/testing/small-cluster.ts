import type { App } from '../../core/model/app.ts';
import type { InstanceState } from '../../core/model/instance.ts';
import type { AgentReport, Assignment } from '../../core/model/master-port.ts';
import { containersOf } from '../containers.ts';
import { recordKey } from '../record.ts';
import { assignmentOf } from './assignments.ts';
import type { FakeHost } from './fake-host.ts';
import type { ScriptedMaster } from './scripted-master.ts';

/**
 * A master that keeps `wanted` instances on the one agent, as a scheduler would: what ended is forgotten and replaced.
 * It notes each report that no agent may ever make.
 */
export class SmallCluster {
  readonly faults: string[] = [];
  readonly #master: ScriptedMaster;
  readonly #host: FakeHost;
  readonly #app: Partial<App>;
  readonly #placed = new Map<string, Assignment>();
  readonly #states = new Map<string, InstanceState>();
  /** Instances the test ended itself. */
  readonly #ended = new Set<string>();
  #wanted = 0;
  #names = 0;

  /** `app`: how what it runs differs from the test's usual app. */
  constructor(master: ScriptedMaster, host: FakeHost, app: Partial<App> = {}) {
    this.#app = app;
    this.#master = master;
    this.#host = host;
    master.onReport = (report) => this.#hear(report);
  }

  /** Container keys of what runs and is to run, as told. */
  get running(): readonly string[] {
    const live = [...this.#placed.values()].filter(({ placement }) => placement.goal === 'run');
    return live
      .filter(({ placement }) => this.#states.get(placement.instanceId)?.kind === 'running')
      .map(recordKey);
  }

  get settled(): boolean {
    return this.#placed.size === this.#wanted && this.running.length === this.#wanted;
  }

  want(count: number): void {
    this.#wanted = count;
    const live = [...this.#placed.values()].filter(({ placement }) => placement.goal === 'run');
    for (const { placement, app } of live.slice(count)) {
      this.#placed.set(placement.instanceId, { placement: { ...placement, goal: 'stop' }, app });
    }
    for (let missing = count - live.length; missing > 0; missing -= 1) this.#place();
    this.#tell();
  }

  /** Its program fails; of a pod, the last one's. */
  fail(key: string): void {
    const assignment = [...this.#placed.values()].find((one) => recordKey(one) === key);
    this.#ended.add(key);
    this.#host.machine.end((assignment && containersOf(assignment).at(-1)?.id) ?? '', 1);
  }

  #place(): void {
    this.#names += 1;
    const assignment = assignmentOf(String(this.#names), { app: this.#app });
    this.#placed.set(assignment.placement.instanceId, assignment);
  }

  #tell(): void {
    this.#master.assign(...this.#placed.values());
  }

  #hear({ instances }: AgentReport): void {
    for (const { instanceId, attempt, state } of instances) {
      const assignment = this.#placed.get(instanceId);
      if (assignment === undefined) continue;
      if (state.kind === 'ended') this.#forget(`${instanceId}.${attempt}`, assignment, state);
      else this.#states.set(instanceId, state);
    }
  }

  #forget(key: string, { placement }: Assignment, state: InstanceState & { kind: 'ended' }): void {
    const wasRunning = this.#states.get(placement.instanceId)?.kind === 'running';
    if (wasRunning && placement.goal === 'run' && !this.#ended.has(key))
      this.faults.push(`${key} was lost: ${state.reason}`);
    const left = this.#host.leftOf(key);
    if (left.length > 0) this.faults.push(`${key} is told ended with ${left.join(', ')} left`);
    this.#placed.delete(placement.instanceId);
    this.#states.delete(placement.instanceId);
    this.want(this.#wanted);
  }
}
