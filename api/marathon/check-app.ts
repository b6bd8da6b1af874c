import { checkId, checkPath } from './app-id.ts';
import type { AppInput } from './app-schema.ts';
import { checkConstraints } from './check-constraints.ts';
import { checkContainer } from './check-container.ts';
import { checkGeneral, checkHealth, checkReadiness } from './check-health.ts';
import { checkLimits } from './check-limits.ts';
import { checkNetworks } from './check-networks.ts';
import { checkResident } from './check-resident.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkText } from './check-text.ts';
import { checkVolumes } from './check-volumes.ts';
import { checkUri } from './fetch-schema.ts';
import { type AppDraft, isSingle } from './normalise.ts';
import type { Faults } from './schema.ts';

/** `written`: the id as the client wrote it. */
export type Meaning = { readonly draft: AppDraft; readonly written: string };

/** Meaning level of an app document (Marathon §10.1–§10.4, §14, §18). Notes every fault, at its path. */
export function checkApp(input: AppInput, { draft, written }: Meaning, faults: Faults): void {
  checkId(written, '/id', faults);
  checkCommand(input, faults);
  checkContainer(input, faults);
  checkVolumes(input.container?.volumes ?? [], faults);
  checkResident(input, draft, faults);
  checkLimits(input, draft, faults);
  checkNetworks(input, draft, faults);
  checkConstraints(input.constraints ?? [], faults);
  checkHealth(input.healthChecks ?? [], draft, faults);
  checkReadiness(draft, faults);
  checkGeneral(input, draft, faults);
  checkLists(input, faults);
  checkStrategies(input, draft, faults);
  checkMigration(input.labels ?? {}, faults);
  checkSecrets(input, faults);
  checkText(input, faults);
}

function checkCommand(input: AppInput, faults: Faults): void {
  const hasArgs = (input.args ?? []).length > 0;
  const type = input.container?.type ?? 'DOCKER';
  const isRunnable =
    input.container !== undefined && (type === 'MESOS' || input.container.docker !== undefined);
  const hasProgram = input.cmd !== undefined || hasArgs || isRunnable;
  if ((input.cmd !== undefined && hasArgs) || !hasProgram) {
    faults.add('/', "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
  }
}

function checkLists(input: AppInput, faults: Faults): void {
  for (const [index, dependency] of (input.dependencies ?? []).entries())
    checkPath(dependency, `/dependencies(${index})`, faults);
  if (hasDuplicates(input.dependencies ?? [])) faults.add('/dependencies', 'must not contain duplicates');
  const roles = input.acceptedResourceRoles;
  if (roles?.length === 0) faults.add('/acceptedResourceRoles', 'must not be empty');
  if (hasDuplicates(roles ?? [])) faults.add('/acceptedResourceRoles', 'must not contain duplicates');
  const own = input.role ?? '*';
  if (roles?.some((role) => role !== '*' && role !== own)) {
    faults.add('/acceptedResourceRoles', `acceptedResourceRoles can only contain * and ${own}`);
  }
  if ((input.uris ?? []).length > 0 && (input.fetch ?? []).length > 0) {
    faults.add('/uris', 'may not be set in conjunction with fetch');
  }
  for (const [index, { uri }] of (input.fetch ?? []).entries()) checkUri(uri, `/fetch(${index})/uri`, faults);
  for (const [index, uri] of (input.uris ?? []).entries()) checkUri(uri, `/uris(${index})`, faults);
}

function checkStrategies(input: AppInput, draft: AppDraft, faults: Faults): void {
  for (const [name, value] of Object.entries(draft.upgradeStrategy)) {
    if (value >= 0 && value <= 1) continue;
    faults.add(`/upgradeStrategy/${name}`, `got ${value}, expected between 0.0 and 1.0`);
  }
  if (draft.unreachableStrategy !== 'disabled') {
    const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = draft.unreachableStrategy;
    if (inactive > expunge) {
      const error = `inactiveAfterSeconds (${inactive}) must be less or equal to expungeAfterSeconds, which is ${expunge}`;
      faults.add('/unreachableStrategy', error);
    }
  }
  if (isSingle(input)) checkSingle(draft, faults);
}

function checkSingle({ instances, upgradeStrategy }: AppDraft, faults: Faults): void {
  if (instances > 1) faults.add('/', 'Single instance app may only have one instance');
  const { minimumHealthCapacity, maximumOverCapacity } = upgradeStrategy;
  if (minimumHealthCapacity !== 0 || maximumOverCapacity !== 0) {
    const error = 'Single instance app must have minimumHealthCapacity 0 and maximumOverCapacity 0';
    faults.add('/upgradeStrategy', error);
  }
}

/** §10.3: an app that announces the migration API must say all of it. */
function checkMigration(labels: Readonly<Record<string, string>>, faults: Faults): void {
  const version = labels['DCOS_MIGRATION_API_VERSION'];
  if (version === undefined) return;
  if (version !== 'v1') faults.add('/labels', 'DCOS_MIGRATION_API_VERSION must be v1');
  for (const name of ['DCOS_MIGRATION_API_PATH', 'DCOS_PACKAGE_FRAMEWORK_NAME']) {
    if (!labels[name]) faults.add('/labels', `DCOS_MIGRATION_API_VERSION needs the label ${name}`);
  }
}

function hasDuplicates(items: readonly unknown[]): boolean {
  return new Set(items).size !== items.length;
}
