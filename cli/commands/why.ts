import type { Command } from 'commander';
import { appId } from '../app/id.ts';
import { vipFaultLines } from '../app/vip-faults.ts';
import { readQueue, whyLong } from '../app/waiting.ts';
import { countsOf, hasChecks } from '../deployment/describe.ts';
import { leaf, print, printJson, sessionOf } from '../globals.ts';
import type { AppInfo, NodeInfo } from '../master/answers.ts';

export function register(program: Command): void {
  leaf(program, 'why', 'say why an app has fewer instances than it wants')
    .argument('<app>')
    .action(async (app: string, _options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const id = appId(app);
      const { app: info } = await master.get<{ app: AppInfo }>(`/v2/apps${id}`);
      const [queue, { nodes }] = await Promise.all([
        readQueue(master),
        master.get<{ nodes: readonly NodeInfo[] }>('/v1/nodes'),
      ]);
      const { waits, notActedOn = [] } = await master.get<Why>(`/v1/why${id}`);
      const waiting = queue.get(id);
      if (json) return printJson({ waiting: waiting ?? null, waits, notActedOn });
      const first = waiting === undefined ? [notWaiting(info, waits)] : whyLong(waiting, nodes);
      const ignored = notActedOn.map((text) => `Not acted on yet: ${text}`);
      print(
        [...first, ...waits.map(sentence), ...failure(info), ...vipFaultLines(info), ...ignored].join('\n'),
      );
    });
}

/** A master of before does not say what it leaves undone. */
type Why = { readonly waits: readonly Wait[]; readonly notActedOn?: readonly string[] };

type Wait = {
  readonly kind: string;
  readonly instanceId?: string;
  readonly count: number;
  readonly detail: string;
};

function sentence({ kind, instanceId, count, detail }: Wait): string {
  return `  ${instanceId ?? `${count} not launched`} (${kind}): ${detail}`;
}

function notWaiting(app: AppInfo, waits: readonly Wait[]): string {
  const counts = countsOf(app).join(', ');
  const ready = (hasChecks(app) ? app.tasksHealthy : app.tasksRunning) ?? 0;
  if (ready >= app.instances) return `${app.id} has all it wants: ${counts}.`;
  if (waits.some(({ kind }) => kind === 'step'))
    return `${app.id} waits for its turn in its deployment: ${counts}.`;
  return `${app.id} has a place for every instance, but not all are ready yet: ${counts}.`;
}

function failure({ lastTaskFailure }: AppInfo): readonly string[] {
  if (lastTaskFailure === undefined) return [];
  return [`Last failure, on ${lastTaskFailure.host}: ${lastTaskFailure.message}`];
}
