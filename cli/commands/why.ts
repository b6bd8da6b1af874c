import type { Command } from 'commander';
import { appId } from '../app/id.ts';
import { vipFaultLines } from '../app/vip-faults.ts';
import { type Wait, waitLine } from '../app/wait-line.ts';
import { readQueue, whyLong } from '../app/waiting.ts';
import { countsOf, hasChecks } from '../deployment/describe.ts';
import { readApp } from '../deployment/wait.ts';
import { leaf, print, printJson, sessionOf } from '../globals.ts';
import type { AppInfo, NodeInfo, PodInfo } from '../master/answers.ts';
import type { Master } from '../master/master.ts';
import { stableOf } from '../pod/list.ts';
import { readPod } from '../pod/read.ts';

export function register(program: Command): void {
  leaf(program, 'why', 'say why an app or a pod has fewer instances than it wants')
    .argument('<app>', 'an app or a pod')
    .action(async (app: string, _options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const id = appId(app);
      const info = (await readApp(master, id)) ?? (await readPod(master, id)) ?? (await noSuch(master, id));
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
        [
          ...first,
          ...waits.map(waitLine),
          ...failure(info),
          ...('spec' in info ? [] : vipFaultLines(info)),
          ...ignored,
        ].join('\n'),
      );
    });
}

/** A master of before does not say what it leaves undone. */
type Why = { readonly waits: readonly Wait[]; readonly notActedOn?: readonly string[] };

function notWaiting(app: AppInfo | PodInfo, waits: readonly Wait[]): string {
  if ('spec' in app) {
    const has = app.status === 'STABLE' ? 'has all it wants' : 'is not all stable yet';
    return `${app.id} ${has}: ${stableOf(app)} stable.`;
  }
  const counts = countsOf(app).join(', ');
  const ready = (hasChecks(app) ? app.tasksHealthy : app.tasksRunning) ?? 0;
  if (ready >= app.instances) return `${app.id} has all it wants: ${counts}.`;
  if (waits.some(({ kind }) => kind === 'step'))
    return `${app.id} waits for its turn in its deployment: ${counts}.`;
  return `${app.id} has a place for every instance, but not all are ready yet: ${counts}.`;
}

function failure(info: AppInfo | PodInfo): readonly string[] {
  if ('spec' in info) return info.terminationHistory.map(({ message }) => `Last failure: ${message}`);
  const { lastTaskFailure } = info;
  if (lastTaskFailure === undefined) return [];
  return [
    `Last failure, on ${lastTaskFailure.host}: ${lastTaskFailure.message}`,
    `  what it wrote last: weir task log --failed ${info.id}`,
  ];
}

async function noSuch(master: Master, id: string): Promise<AppInfo> {
  return (await master.get<{ app: AppInfo }>(`/v2/apps${id}`)).app;
}
