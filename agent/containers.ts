import { isPod } from '../core/model/app.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { recordKey } from './record.ts';
import type { ContainerId } from './runtime.ts';

/** One of the containers that an instance is made of. */
export type InstanceContainer = {
  readonly id: ContainerId;
  /** Of a pod. */
  readonly name?: string;
  /** SIGTERM to SIGKILL. */
  readonly graceMs: number;
};

/** SIGTERM to SIGKILL where the definition says nothing (Marathon §10.1). */
const defaultGraceSeconds = 3;

/** An app has one, whose id is the key of its record; a pod has several. */
export function containersOf(assignment: Assignment): readonly InstanceContainer[] {
  const { app } = assignment;
  const key = recordKey(assignment);
  if (!isPod(app)) return [{ id: key, graceMs: graceMs(app.taskKillGracePeriodSeconds) }];
  return app.pod.containers.map(({ name, killGracePeriodSeconds }) => ({
    id: podContainerId(key, name),
    name,
    graceMs: graceMs(killGracePeriodSeconds),
  }));
}

/** Whose container it is: the key of a record, and the name of the container if that is of a pod. Undefined: nobody's. */
export function ownerOf(
  id: ContainerId,
  records: { has(key: string): boolean },
): { readonly key: string; readonly name?: string } | undefined {
  if (records.has(id)) return { key: id };
  const dot = id.lastIndexOf('.');
  const key = id.slice(0, Math.max(0, dot));
  return records.has(key) ? { key, name: id.slice(dot + 1) } : undefined;
}

/** The container a health check looks into. */
export function checkedContainer(assignment: Assignment, { container }: HealthCheck): ContainerId {
  const key = recordKey(assignment);
  return container === undefined ? key : podContainerId(key, container);
}

/** Names of containers have no dots, so key and name come apart again. */
export function podContainerId(key: string, name: string): ContainerId {
  return `${key}.${name}`;
}

function graceMs(seconds = defaultGraceSeconds): number {
  return seconds * 1000;
}
