import type { App } from '../core/model/app.ts';
import { portsOf } from '../core/model/ports.ts';
import type { AppDraft } from './marathon/normalise.ts';
import { Problem } from './problem.ts';

/** What was set aside for the instances of a resident app stays as it is for good (Marathon §10.3). Throws Problem 422. */
export function checkResidentChange(draft: AppDraft, previous: App): void {
  if (previous.residency === undefined || draft.residency === undefined) return;
  const differs = (view: (app: AppDraft) => unknown) =>
    JSON.stringify(view(draft)) !== JSON.stringify(view(previous));
  const faults = [
    ...(differs(persistentVolumes) ? ['Persistent volumes can not be changed!'] : []),
    ...(differs(resources) ? ['Resident Tasks may not change resource requirements!'] : []),
    ...(differs(hostPorts) ? ['Resident Tasks may not change their host ports!'] : []),
  ];
  if (faults.length > 0)
    throw new Problem(422, { message: 'Object is not valid', details: [{ path: '/', errors: faults }] });
}

function persistentVolumes({ container }: AppDraft): unknown {
  return (container?.volumes ?? []).filter((volume) => 'persistent' in volume);
}

function resources({ cpus, mem, disk, gpus }: AppDraft): unknown {
  return [cpus, mem, disk, gpus];
}

function hostPorts(app: AppDraft): unknown {
  return [app.requirePorts, portsOf(app).map(({ hostPort }) => hostPort)];
}
