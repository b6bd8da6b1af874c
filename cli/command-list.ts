import type { Command } from 'commander';

export type CommandModule = { register(program: Command): void };

export type CommandEntry = {
  readonly name: string;
  readonly summary: string;
  /** Works on this machine, also when `--lab` names a lab. */
  readonly local?: true;
  load(): Promise<CommandModule>;
};

/** Every command, in the order of `weir --help`. A module is loaded only when its command is named, so that none pays for another. */
export const commandList: readonly CommandEntry[] = [
  {
    name: 'app',
    summary: 'add, look at, change and remove apps',
    load: () => import('./commands/app.ts'),
  },
  {
    name: 'pod',
    summary: 'look at pods: containers that live together',
    load: () => import('./commands/pod.ts'),
  },
  {
    name: 'why',
    summary: 'say why an app or a pod has fewer instances than it wants',
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'deployment',
    summary: 'look at and cancel changes on their way',
    load: () => import('./commands/deployment.ts'),
  },
  {
    name: 'task',
    summary: 'look at running instances and what they write',
    load: () => import('./commands/task.ts'),
  },
  { name: 'node', summary: 'look at the machines', load: () => import('./commands/node.ts') },
  {
    name: 'brake',
    summary: 'look at and switch what stops mass killing of unhealthy instances',
    load: () => import('./commands/brake.ts'),
  },
  {
    name: 'route',
    summary: 'give apps a public host name',
    load: () => import('./commands/route.ts'),
  },
  {
    name: 'listener',
    summary: 'open further public ports on the edges',
    load: () => import('./commands/listener.ts'),
  },
  {
    name: 'pool',
    summary: 'Edge-LB pools: frontends, backends and rules in one file',
    load: () => import('./commands/pool.ts'),
  },
  {
    name: 'cert',
    summary: 'give the edges certificates',
    load: () => import('./commands/cert.ts'),
  },
  {
    name: 'vip',
    summary: 'look at virtual IPs',
    load: () => import('./commands/vip.ts'),
  },
  {
    name: 'network',
    summary: 'add, list and remove container networks',
    load: () => import('./commands/network.ts'),
  },
  {
    name: 'dns',
    summary: 'ask for a name, and why the answer is what it is',
    load: () => import('./commands/dns.ts'),
  },
  {
    name: 'dev',
    summary: 'run everything on this machine',
    local: true,
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'down',
    summary: 'take down what "weir dev" made on this machine; apps and settings are kept',
    local: true,
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'master',
    summary: 'run the control plane',
    local: true,
    load: () => import('./commands/master.ts'),
  },
  {
    name: 'agent',
    summary: 'run a machine of the cluster',
    local: true,
    load: () => import('./commands/agent.ts'),
  },
  {
    name: 'doctor',
    summary: 'say what this machine can do, what is missing and what fixes it',
    local: true,
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'lab',
    summary: 'a cluster of several hosts in network namespaces of this machine',
    local: true,
    load: () => import('./commands/lab.ts'),
  },
  {
    name: 'completion',
    summary: 'print a script that completes commands in bash, zsh or fish',
    local: true,
    load: () => import('./commands/completion.ts'),
  },
];
