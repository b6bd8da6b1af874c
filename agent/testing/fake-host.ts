import type { Clock } from '../../core/kit/clock.ts';
import type { Assignment } from '../../core/model/master-port.ts';
import type { HostNetworks } from '../agent.ts';
import type { Attacher, Namespaces } from '../attach.ts';
import { containersOf } from '../containers.ts';
import { recordKey } from '../record.ts';
import type { ContainerSpec } from '../runtime.ts';
import { FakeMachine, type FakeProgram } from '../runtimes/fake/fake-machine.ts';
import type { Volumes } from '../volumes.ts';

type Attachment = Parameters<Attacher['attach']>[0];

/** What outlives an agent on its machine: containers, namespaces, attachments. */
export class FakeHost implements Attacher, Namespaces, HostNetworks {
  readonly machine: FakeMachine;
  readonly namespaces = new Set<string>();
  readonly attachments = new Map<string, Attachment & { readonly ip: string }>();
  readonly volumes = new FakeVolumes();
  readonly networkUpdates: unknown[] = [];
  /** Called before each change with its name (`attach`, `detach`, `create`, `remove`); what it throws or waits for is the change's fate. */
  before: (what: string, request?: { readonly network: string; readonly instanceId: string }) => unknown =
    () => {};
  #lastAddress = 0;

  constructor(options: { clock: Clock; programOf?: (spec: ContainerSpec) => FakeProgram }) {
    this.machine = new FakeMachine(options);
  }

  async attach(request: Attachment): Promise<{ ip: string }> {
    await this.before('attach', request);
    if (!this.namespaces.has(request.netns)) throw new Error(`there is no namespace ${request.netns}`);
    const key = attachmentKey(request);
    const known = this.attachments.get(key);
    if (known !== undefined) return { ip: known.ip };
    this.#lastAddress += 1;
    const ip = `100.64.0.${this.#lastAddress}`;
    this.attachments.set(key, { ...request, ip });
    return { ip };
  }

  async detach(request: Parameters<Attacher['detach']>[0]): Promise<void> {
    await this.before('detach', request);
    this.attachments.delete(attachmentKey(request));
  }

  path(name: string): string {
    return `/netns/${name}`;
  }

  async create(name: string): Promise<void> {
    await this.before('create');
    this.namespaces.add(this.path(name));
  }

  async remove(path: string): Promise<void> {
    await this.before('remove');
    this.namespaces.delete(path);
  }

  set(...update: Parameters<HostNetworks['set']>): void {
    this.networkUpdates.push(update);
  }

  async recover(valid: Parameters<HostNetworks['recover']>[0]): Promise<void> {
    const live = new Set(valid.map(attachmentKey));
    for (const key of this.attachments.keys()) if (!live.has(key)) this.attachments.delete(key);
  }

  /** Everything an instance has here, for people: nothing is left when it is empty. */
  leftOf(key: string): readonly string[] {
    const containers = this.machine.containers.filter(
      ({ spec }) => spec.id === key || spec.id.startsWith(`${key}.`),
    );
    const attached = [...this.attachments.values()].filter((one) => one.instanceId === key);
    return [
      ...containers.map(({ state }) => `container ${state.kind}`),
      ...attached.map(({ network, ifName }) => `${ifName} on ${network}`),
      ...(this.namespaces.has(this.path(key)) ? ['namespace'] : []),
      ...(this.volumes.folders.has(key) ? ['volumes'] : []),
    ];
  }
}

/** Which instances have shared folders, and which. */
class FakeVolumes implements Volumes {
  readonly folders = new Map<string, readonly string[]>();

  path(key: string, name: string): string {
    return `/volumes/${key}/${name}`;
  }

  async create(key: string, names: readonly string[]): Promise<void> {
    this.folders.set(key, names);
  }

  async remove(key: string): Promise<void> {
    this.folders.delete(key);
  }

  async keep(keys: ReadonlySet<string>): Promise<void> {
    for (const key of this.folders.keys()) if (!keys.has(key)) this.folders.delete(key);
  }
}

export function specOf(assignment: Assignment): ContainerSpec {
  return specFor(recordKey(assignment), assignment);
}

export function specsOf(assignment: Assignment): readonly ContainerSpec[] {
  return containersOf(assignment).map(({ id }) => specFor(id, assignment));
}

function specFor(id: string, { app }: Assignment): ContainerSpec {
  return {
    id,
    command: { kind: 'argv', argv: [app.cmd ?? ''] },
    env: {},
    rootfs: { kind: 'host' },
    mounts: [],
    files: {},
    netns: { kind: 'host' },
    cpus: app.cpus,
    mem: app.mem,
    logDir: `/logs/${id}`,
    labels: {},
  };
}

function attachmentKey(key: {
  readonly network: string;
  readonly instanceId: string;
  readonly ifName: string;
}): string {
  return `${key.network} ${key.instanceId} ${key.ifName}`;
}
