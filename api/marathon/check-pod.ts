import { checkId } from './app-id.ts';
import { checkConstraints } from './check-constraints.ts';
import { checkModes } from './check-networks.ts';
import { checkPodContainers } from './check-pod-containers.ts';
import { checkPodEndpoints } from './check-pod-endpoints.ts';
import { checkEnvironment } from './check-pod-environment.ts';
import type { PodDraft } from './normalise-pod.ts';
import type { PodInput } from './pod-schema.ts';
import type { Faults } from './schema.ts';

/** Meaning level of a pod document (Marathon §19.1). Notes every fault, at its path. `written`: the id as the client wrote it. */
export function checkPod(
  input: PodInput,
  { draft, written }: { draft: PodDraft; written: string },
  faults: Faults,
): void {
  checkId(written, '/id', faults);
  checkModes(input.networks ?? [], draft, faults);
  checkPodContainers(draft, input, faults);
  checkPodEndpoints(draft, faults);
  checkVolumes(draft, input, faults);
  checkScheduling(input, draft, faults);
  checkEnvironment(input.environment ?? {}, { at: '/environment', secrets: input.secrets }, faults);
}

function checkVolumes({ pod }: PodDraft, { volumes = [], secrets = {} }: PodInput, faults: Faults): void {
  for (const [index, { secret }] of volumes.entries())
    if (secret !== undefined && !Object.hasOwn(secrets, secret))
      faults.add(`/volumes(${index})/secret`, 'volume.secret must refer to an existing secret');
  const names = pod.volumes.map(({ name }) => name);
  if (new Set(names).size !== names.length) faults.add('/volumes', 'volume names must be unique');
  const mounted = new Set(pod.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)));
  for (const [index, { name, host }] of pod.volumes.entries()) {
    if (!mounted.has(name))
      faults.add(`/volumes(${index})`, 'volume must be referenced by at least one container');
    if (/[/\0]/.test(name) || name === '.' || name === '..')
      faults.add(`/volumes(${index})/name`, 'must not contain a / or be . or ..');
    if (host?.includes('\0')) faults.add(`/volumes(${index})/host`, 'must not contain a NUL character');
  }
}

const placement = '/scheduling/placement';

function checkScheduling({ scheduling }: PodInput, draft: PodDraft, faults: Faults): void {
  const written = (scheduling?.placement?.constraints ?? []).map(({ fieldName, operator, value }) =>
    value === undefined ? [fieldName, operator] : [fieldName, operator, value],
  );
  checkConstraints(written, faults, `${placement}/constraints`);
  if (scheduling?.placement?.acceptedResourceRoles?.some((role) => role !== '*'))
    faults.add(`${placement}/acceptedResourceRoles`, 'acceptedResourceRoles can only contain * and *');
  if (draft.unreachableStrategy === 'disabled') return;
  const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = draft.unreachableStrategy;
  if (inactive <= expunge) return;
  const error = `inactiveAfterSeconds (${inactive}) must be less or equal to expungeAfterSeconds, which is ${expunge}`;
  faults.add('/scheduling/unreachableStrategy', error);
}
