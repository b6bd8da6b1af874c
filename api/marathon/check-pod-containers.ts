import { endpointsOf, type PodContainer, type PodHealthCheck } from '../../core/model/pod.ts';
import { checkEnvironment, checkPlain } from './check-pod-environment.ts';
import { checkUri } from './fetch-schema.ts';
import type { PodDraft } from './normalise-pod.ts';
import type { PodCommandInput, PodHealthCheckInput, PodInput } from './pod-schema.ts';
import type { Faults } from './schema.ts';

/** Marathon §19.1. */
export function checkPodContainers({ pod }: PodDraft, input: PodInput, faults: Faults): void {
  if (pod.containers.length === 0) faults.add('/containers', 'error.minItems');
  const names = pod.containers.map(({ name }) => name);
  if (new Set(names).size !== names.length) faults.add('/containers', 'container names must be unique');
  const endpoints = new Set(endpointsOf(pod).map(({ name }) => name));
  const volumes = new Set(pod.volumes.map(({ name }) => name));
  for (const [index, container] of pod.containers.entries()) {
    const at = `/containers(${index})`;
    const given = input.containers[index];
    checkProgram(container, at, faults);
    if (given?.exec !== undefined) checkCommand(given.exec.command, `${at}/exec/command`, faults);
    checkMounts(container, { at, volumes }, faults);
    for (const [place, { uri }] of (container.artifacts ?? []).entries())
      checkUri(uri, `${at}/artifacts(${place})/uri`, faults);
    checkEnvironment(container.environment, { at: `${at}/environment`, secrets: input.secrets }, faults);
    if (container.healthCheck === undefined || given?.healthCheck === undefined) continue;
    const { healthCheck: check } = container;
    checkHealth({ check, given: given.healthCheck }, { at: `${at}/healthCheck`, endpoints }, faults);
  }
}

function checkProgram({ exec, image }: PodContainer, at: string, faults: Faults): void {
  if (exec === undefined && image === undefined)
    faults.add(at, 'must have an exec command, or an image that has one');
}

function checkCommand({ shell, argv }: PodCommandInput, at: string, faults: Faults): void {
  if ((shell === undefined) === (argv === undefined))
    faults.add(at, "must contain exactly one of 'shell' and 'argv'");
  if (argv?.length === 0) faults.add(`${at}/argv`, 'must not be empty');
  for (const text of [shell, ...(argv ?? [])]) checkPlain(text, at, faults);
}

function checkMounts(
  { volumeMounts }: PodContainer,
  { at, volumes }: { at: string; volumes: ReadonlySet<string> },
  faults: Faults,
): void {
  for (const [index, { name, mountPath }] of volumeMounts.entries()) {
    const path = `${at}/volumeMounts(${index})`;
    if (!volumes.has(name)) faults.add(`${path}/name`, 'Referenced Volume in VolumeMount should exist');
    checkPlain(mountPath, `${path}/mountPath`, faults);
  }
}

function checkHealth(
  { check, given }: { check: PodHealthCheck; given: PodHealthCheckInput },
  { at, endpoints }: { at: string; endpoints: ReadonlySet<string> },
  faults: Faults,
): void {
  const kinds = [check.http, check.tcp, check.exec].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) faults.add(at, 'Only one of http, tcp, or command may be specified');
  for (const kind of ['http', 'tcp'] as const) {
    const endpoint = check[kind]?.endpoint;
    if (endpoint === undefined || endpoints.has(endpoint)) continue;
    const known = [...endpoints].join(', ') || 'none';
    faults.add(
      `${at}/${kind}/endpoint`,
      `there is no endpoint '${endpoint}'; endpoints of the pod: ${known}`,
    );
  }
  if (given.exec !== undefined) checkCommand(given.exec.command, `${at}/exec/command`, faults);
  checkPlain(check.http?.path, `${at}/http/path`, faults);
  if (check.timeoutSeconds >= check.intervalSeconds)
    faults.add(`${at}/timeoutSeconds`, 'must be less than intervalSeconds');
}
