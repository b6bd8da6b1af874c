import { anywhereMatcher } from '../../kit/pattern.ts';
import type { App } from '../../model/app.ts';
import type { MarathonSelector, MesosSelector, PoolService } from '../../model/edgelb/pool.ts';
import type { AppServers, PortChoice, ServerSource } from '../../model/server-set.ts';
import { serverWords } from '../server-words.ts';
import { ignoredLine, type PoolNote } from './backend-options.ts';

/** What an app is known as to selectors of Mesos. */
const framework = 'marathon';

const ways = { AUTO_IP: 'auto', AGENT_IP: 'agent', CONTAINER_IP: 'container' } as const;

/** Whose endpoints a service of a backend stands for (ingress.md A2.5, A4). */
export type SourceChooser = {
  /** Undefined: this app's are none of them. */
  of(app: App): ServerSource | undefined;
  /** Those that are no app's. */
  readonly fixed: readonly ServerSource[];
  readonly notes: readonly PoolNote[];
};

export function sourceChooser({ endpoint, marathon, mesos }: PoolService, path: string): SourceChooser {
  const { traits, notes } = serverTraits(endpoint.miscStr, `${path}/endpoint/miscStr`);
  if (endpoint.type === 'ADDRESS') {
    const { address: host = '', port } = endpoint;
    return { of: () => undefined, fixed: [{ host, port, ...traits }], notes };
  }
  const via = ways[endpoint.type];
  const ports = portChoice(endpoint);
  const byMarathon = marathon !== undefined && isGiven(marathon) ? marathonChooser(marathon) : undefined;
  const byMesos = mesos !== undefined && isGiven(mesos) ? mesosChooser(mesos) : undefined;
  const of = (app: App): ServerSource | undefined => {
    const containers = byMarathon?.(app) ?? 'all';
    const task = byMesos?.(app) ?? 'all';
    if (containers === 'none' || task === 'none' || (byMarathon ?? byMesos) === undefined) return undefined;
    const own = containers === 'all' ? ports : inContainers(ports, containers);
    return { appId: app.id, ports: own, via, ...(task !== 'all' && { task }), ...traits };
  };
  return { of, fixed: [], notes };
}

function portChoice({ port, portName, allPorts }: PoolService['endpoint']): PortChoice {
  if (allPorts) return { by: 'all' };
  return portName === '' ? { by: 'number', number: port } : { by: 'name', names: [portName] };
}

function isGiven(selector: MarathonSelector | MesosSelector): boolean {
  return Object.values(selector).some((text) => text !== '');
}

/** Names of the ports of the containers that are meant. */
type PortNames = 'none' | 'all' | readonly string[];

function marathonChooser(selector: MarathonSelector): (app: App) => PortNames {
  const { serviceID = '', serviceIDPattern, containerName, containerNamePattern } = selector;
  const id = serviceID === '' || serviceID.startsWith('/') ? serviceID : `/${serviceID}`;
  const isApp = nameTest(id, serviceIDPattern);
  const isContainer = nameTest(containerName, containerNamePattern);
  return (app) => {
    if (isApp?.(app.id) === false) return 'none';
    if (isContainer === undefined) return 'all';
    const meant = (app.pod?.containers ?? []).filter(({ name }) => isContainer(name));
    return meant.flatMap(({ endpoints }) => endpoints.map(({ name }) => name));
  };
}

type TaskChoice = 'none' | 'all' | NonNullable<AppServers['task']>;

/** Every task here is of the one framework, whatever its id. */
function mesosChooser(selector: MesosSelector): (app: App) => TaskChoice {
  const { frameworkName, frameworkNamePattern, taskName, taskNamePattern, taskID, taskIDPattern } = selector;
  const isOurs = nameTest(frameworkName, frameworkNamePattern)?.(framework) !== false;
  const isTask = nameTest(taskName, taskNamePattern);
  const task = taskID ? { is: taskID } : taskIDPattern ? { like: taskIDPattern } : 'all';
  return (app) => (isOurs && isTask?.(taskNameOf(app)) !== false ? task : 'none');
}

/** Marathon's name of the tasks of an app: the parts of its id, the last one first. */
function taskNameOf(app: App): string {
  return app.id.split('/').slice(1).toReversed().join('.');
}

/** Undefined: every name is meant. An expression is found anywhere, as in HAProxy and Go. */
function nameTest(exact = '', pattern = ''): ((name: string) => boolean) | undefined {
  const like = pattern === '' ? undefined : (anywhereMatcher(pattern) ?? (() => false));
  if (exact === '') return like;
  return (name) => name === exact && like?.(name) !== false;
}

function inContainers(choice: PortChoice, names: readonly string[]): PortChoice {
  if (choice.by !== 'name') return { by: 'name', names };
  return { by: 'name', names: choice.names.filter((name) => names.includes(name)) };
}

type Traits = Pick<ServerSource, 'weight' | 'backup'>;

/** The words after a server's address; what holds for all servers of the backend is taken there. */
function serverTraits(
  text: string,
  path: string,
): { readonly traits: Traits; readonly notes: readonly PoolNote[] } {
  const { weight, backup, rest } = serverWords(text);
  return {
    traits: { ...(weight !== undefined && { weight }), ...(backup && { backup }) },
    notes: rest.map((words) => ({ path, error: ignoredLine(words) })),
  };
}
