import type { App } from '../../core/model/app.ts';
import type { AppInput } from './app-schema.ts';

const defaults = { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' } as const;

/** What persistent volumes imply, and whoever says so himself (Marathon §10.1). */
export function residencyOf(input: AppInput): Pick<App, 'residency'> {
  return isResident(input) ? { residency: { ...defaults, ...input.residency } } : {};
}

/** Whether instances belong to the agents that have their data. */
export function isResident({ residency, container }: AppInput): boolean {
  return (
    residency !== undefined || (container?.volumes ?? []).some(({ persistent }) => persistent !== undefined)
  );
}

/** Whether data outlives instances, here or with a provider of volumes. */
export function keepsData(input: AppInput): boolean {
  return isResident(input) || (input.container?.volumes ?? []).some(({ external }) => external !== undefined);
}
