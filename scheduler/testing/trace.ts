import type { App } from '../../core/model/app.ts';
import type { Deployment } from '../../core/model/deployment.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { MasterEvent } from '../../core/state/event-bus.ts';
import type { Snapshot } from '../../core/state/snapshot.ts';
import type { Write } from '../../core/state/store.ts';
import type { AddressRecord, Backoff, TaskFailure } from '../../core/state/tables.ts';
import type { Decision } from '../decision.ts';
import type { Wait } from '../waits.ts';
import { epoch } from './cluster.ts';

/** Says what happened in lines that a person can check; versions are named v1, v2, … in the order they appear. */
export class Trace {
  readonly #versions = new Map<string, string>();

  write(write: Write, before: Snapshot): readonly string[] {
    if (write.kind === 'delete') return this.#gone(write.table, write.key);
    switch (write.table) {
      case 'placements':
        return [this.#placement(write.value as Placement, before.table('placements').get(write.key))];
      case 'deployments':
        return [this.#deployment(write.value as Deployment)];
      case 'apps':
        return [this.#app(write.value as App)];
      case 'backoffs':
        return [delay(write.value as Backoff)];
      case 'failures':
        return [failure(write.value as TaskFailure)];
      case 'addresses':
        return [address(write.value as AddressRecord)];
      case 'instances':
        return [report(write.value as Instance)];
      default:
        return [];
    }
  }

  events({ events }: Decision): readonly string[] {
    return events.map((event) => `event ${event.kind} ${subject(event)}`);
  }

  waiting({ waiting, brakes }: Decision): readonly string[] {
    const held = brakes.map(({ scope, reason }) => `brake ${scope}: ${reason}`);
    const waits = [...waiting].sort(byId).flatMap(([app, wait]) => {
      if (wait.kind === 'backoff') return [`${app} waits with ${wait.count} until ${clock(wait.until)}`];
      const refusals = wait.refusals.map(({ reason, detail }) => `  ${reason}: ${detail}`);
      const nearest = wait.nearest && [
        `  fits on ${wait.nearest.hostname} if ${wait.nearest.conditions.join(' and ')}`,
      ];
      return [`${app} waits with ${wait.count} for an agent`, ...refusals, ...(nearest ?? [])];
    });
    return [...held, ...waits];
  }

  waits(app: string, waits: readonly Wait[]): readonly string[] {
    return waits.map(({ kind, instanceId, count, detail }) => {
      const who = instanceId === undefined ? `${count} of ${app}` : short(instanceId);
      return `${who} waits for ${kind}: ${this.#named(detail)}`;
    });
  }

  version(version: string): string {
    const known = this.#versions.get(version) ?? `v${this.#versions.size + 1}`;
    this.#versions.set(version, known);
    return known;
  }

  #gone(table: string, key: string): readonly string[] {
    if (table === 'instances') return [];
    const [app = '', version] = key.split('@');
    if (table === 'versions') return [`versions: ${app} ${this.version(version ?? '')} forgotten`];
    return [`${table}: ${short(key)} forgotten`];
  }

  #placement(after: Placement, before: Placement | undefined): string {
    const name = short(after.instanceId);
    const reason = after.reason === undefined ? '' : `: ${this.#named(after.reason)}`;
    if (before !== undefined && before.goal === after.goal) return `${name} ${standing(after)}`;
    if (before !== undefined) return `${name} ${before.goal} -> ${after.goal}${reason}`;
    const ports = after.hostPorts.filter((port) => port !== null);
    const bound = ports.length === 0 ? '' : ` port ${ports.join(',')}`;
    return `${name} of ${this.version(after.appVersion)} on ${after.agentId}${bound}`;
  }

  #app({ id, instances, version, versionInfo }: App): string {
    const config = this.version(versionInfo.lastConfigChangeAt);
    const scaled = config === this.version(version) ? '' : ` configuration ${config}`;
    return `app ${id} ${this.version(version)}${scaled} x${instances}`;
  }

  #deployment({ id, step, steps }: Deployment): string {
    const actions = steps[step]?.actions.map((one) => `${one.kind.replace('Application', '')} ${one.app}`);
    return `deployment ${id} step ${step + 1}/${steps.length}: ${actions?.join(', ') ?? 'nothing to do'}`;
  }

  #named(text: string): string {
    return text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (version) => this.version(version));
  }
}

function standing({ expungedAt, inactiveSince, unreachableSince }: Placement): string {
  if (expungedAt !== undefined) return 'is given up with its agent';
  if (inactiveSince !== undefined) return 'is unreachable and replaced';
  return unreachableSince === undefined ? 'is heard of again' : 'is unreachable';
}

function byId([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** `/shop/web`'s instance 3 is `shop_web.3`. */
export function short(id: string): string {
  return id.replace('.instance-', '.');
}

export function clock(ms: number): string {
  return `+${Math.round(ms - epoch) / 1000}s`;
}

function subject(event: MasterEvent): string {
  if ('deployment' in event) return event.deployment.id;
  return 'appId' in event ? event.appId : '';
}

function delay({ appId, delayMs, until }: Backoff): string {
  return `delay ${appId} ${Math.round(delayMs)}ms until ${clock(until)}`;
}

function failure({ appId, instanceId, state, message }: TaskFailure): string {
  const what = state === 'TASK_FAILED' ? '' : ` ${state}`;
  return `failure ${appId} ${short(instanceId)}${what}: ${message}`;
}

function address({ name, address, releasedAt }: AddressRecord): string {
  return `address ${name} ${address}${releasedAt === undefined ? '' : ' released'}`;
}

function report({ instanceId, attempt, state }: Instance): string {
  const again = attempt === 1 ? '' : ` attempt ${attempt}`;
  return `${short(instanceId)}${again} is ${state.kind}${state.kind === 'ended' ? ` (${state.how})` : ''}`;
}
