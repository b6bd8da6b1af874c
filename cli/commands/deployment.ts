import type { Command } from 'commander';
import { WeirError } from '../../core/kit/errors.ts';
import { type Wait, waitLine } from '../app/wait-line.ts';
import { readQueue } from '../app/waiting.ts';
import { actionWord, affectedBy, describeApps, progressText } from '../deployment/describe.ts';
import { readApp, readDeployments, waitForDeployment } from '../deployment/wait.ts';
import { group, leaf, print, printJson, type Session, sessionOf } from '../globals.ts';
import type { Accepted, DeploymentInfo } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { age } from '../show/words.ts';

export function register(program: Command): void {
  const deployment = group(program, 'deployment', 'look at and cancel changes on their way');
  leaf(deployment, 'list', 'list deployments that are not done').action(list);
  leaf(deployment, 'show', 'show the steps of a deployment and what it waits for')
    .argument('<deployment>', 'its id, or the beginning of it')
    .action(show);
  leaf(deployment, 'cancel', 'undo what a deployment changed')
    .argument('<deployment>', 'its id, or the beginning of it')
    .option('--force', 'only stop it; what it did stays')
    .option('--no-wait', 'do not wait until the old state is back')
    .action(cancel);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const deployments = await readDeployments(master);
  if (json) return printJson(deployments);
  if (deployments.length === 0) return print('No deployments: everything is as it was asked for.');
  const now = Date.now();
  print(
    table<DeploymentInfo>(
      [
        { head: 'DEPLOYMENT', of: ({ id }) => id },
        { head: 'APPS', of: describeApps },
        { head: 'STEP', right: true, of: ({ currentStep, totalSteps }) => `${currentStep}/${totalSteps}` },
        { head: 'DOING', of: doing },
        { head: 'AGE', right: true, of: ({ version }) => age(version, now) },
      ],
      deployments,
    ),
  );
}

async function show(given: string, _options: object, command: Command): Promise<void> {
  const session = sessionOf(command);
  const deployment = await find(session, given);
  if (session.json) return printJson(deployment);
  const { id, steps, currentStep } = deployment;
  const queue = await readQueue(session.master);
  const apps = await Promise.all(
    affectedBy(deployment).map(async (app) =>
      progressText(app, { deployment, app: await readApp(session.master, app), waiting: queue.get(app) }),
    ),
  );
  const lines = steps.map((step, index) => {
    const mark =
      index + 1 < currentStep
        ? styled('green', 'done')
        : index + 1 === currentStep
          ? styled('cyan', 'now ')
          : '    ';
    return `  ${mark}  ${index + 1}. ${step.actions.map(({ action, app, pod }) => `${actionWord(action)} ${app ?? pod}`).join(', ')}`;
  });
  const waits = await waitsOf(session, id);
  print([styled('bold', id), ...lines, '', ...apps, ...waits].join('\n'));
}

/** What each instance waits for; a deployment that ended meanwhile waits for nothing. */
async function waitsOf({ master }: Session, id: string): Promise<readonly string[]> {
  type Waiting = { readonly id: string; readonly waits: readonly (Wait & { readonly app: string })[] };
  const running = await master.get<readonly Waiting[]>('/v1/deployments');
  return running.find((each) => each.id === id)?.waits.map(waitLine) ?? [];
}

async function cancel(
  given: string,
  options: { force?: true; wait: boolean },
  command: Command,
): Promise<void> {
  const session = sessionOf(command);
  const deployment = await find(session, given);
  const path = `/v2/deployments/${encodeURIComponent(deployment.id)}`;
  const accepted = await session.master.send<Accepted | undefined>('DELETE', path, {
    query: { force: options.force },
  });
  if (accepted?.deploymentId !== undefined && options.wait) {
    const app = affectedBy(deployment)[0] ?? '/';
    await waitForDeployment(session.master, { deployment: accepted.deploymentId, app });
  }
  if (session.json) return printJson(accepted ?? null);
  print(`${deployment.id} ${options.force === true ? 'is stopped; what it did stays' : 'is undone'}`);
}

/** By id, or by a beginning that only one has. */
async function find({ master }: Session, given: string): Promise<DeploymentInfo> {
  const all = await readDeployments(master);
  const exact = all.find(({ id }) => id === given);
  const found = exact === undefined ? all.filter(({ id }) => id.startsWith(given)) : [exact];
  if (found.length === 1) return found[0]!;
  const what = found.length === 0 ? 'there is none' : `${found.length} begin with it`;
  throw new WeirError('WEIR_NO_DEPLOYMENT', `Cannot find deployment ${given}: ${what}`, {
    next: 'A deployment that is done is gone. See those under way with "weir deployment list".',
  });
}

function doing({ currentActions }: DeploymentInfo): string {
  return [...new Set(currentActions.map(({ action }) => actionWord(action)))].join(', ') || '-';
}
