import type { Endpoint } from '../core/model/directory.ts';
import type { AppId, InstanceId } from '../core/model/ids.ts';
import { NameMap } from './name-map.ts';
import { type Given, RecordSource } from './record-source.ts';
import { type AppNames, appNames, type EndpointNames, endpointNames } from './records/names.ts';
import { type EndpointContext, recordsOfEndpoint } from './records/of-endpoint.ts';
import type { Wanted } from './records/sheet.ts';
import type { Name } from './wire/types.ts';

/** An endpoint that the zone knows, and the records it gives. */
export class HeldEndpoint extends RecordSource {
  endpoint: Endpoint;
  readonly app: HeldApp;
  readonly #context: EndpointContext;
  /** Made when they are asked for: to hash and join them is most of what a record costs. */
  #names: EndpointNames | undefined;

  constructor(endpoint: Endpoint, app: HeldApp, context: EndpointContext) {
    super('endpoint', endpoint.instanceId);
    this.endpoint = endpoint;
    this.app = app;
    this.#context = context;
  }

  /** The same instance as it is now. */
  change(endpoint: Endpoint): void {
    const { taskId, agentId } = this.endpoint;
    if (endpoint.taskId !== taskId || endpoint.agentId !== agentId) this.#names = undefined;
    this.endpoint = endpoint;
  }

  write(): readonly Given[] {
    return this.endpoint.ready ? this.recordsIfReady() : [];
  }

  protected override writeAt(only: Name): readonly Given[] {
    return this.endpoint.ready ? this.recordsIfReady({ only }) : [];
  }

  recordsIfReady(wanted: Wanted = { before: this.known }): readonly Given[] {
    const { endpoint } = this;
    this.#names ??= endpointNames(endpoint, this.app.names, this.#context.options);
    return recordsOfEndpoint({ endpoint, names: this.#names }, this.#context, wanted);
  }
}

type HeldApp = { readonly names: AppNames; readonly endpoints: Set<HeldEndpoint> };

/** The endpoints that a zone knows: by instance, by app, and by address. */
export class HeldEndpoints {
  readonly #context: EndpointContext;
  readonly #byId = new NameMap<HeldEndpoint>();
  readonly #byApp = new Map<AppId, HeldApp>();
  readonly #byAddress = new Map<string, HeldEndpoint>();

  constructor(context: EndpointContext) {
    this.#context = context;
  }

  get(id: InstanceId): HeldEndpoint | undefined {
    return this.#byId.get(id);
  }

  ids(): Iterable<InstanceId> {
    return this.#byId.keys();
  }

  get count(): number {
    return this.#byId.size;
  }

  all(): Iterable<HeldEndpoint> {
    return this.#byId.values();
  }

  /** Those of one of the `parts` in which a list is made. */
  *ofPart(part: number): Iterable<HeldEndpoint> {
    for (const id of this.#byId.part(part)) yield this.#byId.get(id)!;
  }

  ofApp(appId: AppId): readonly HeldEndpoint[] {
    return [...(this.#byApp.get(appId)?.endpoints ?? [])];
  }

  /** Who has an address of its own in a container network, ready or not. */
  at(address: string): HeldEndpoint | undefined {
    return this.#byAddress.get(address);
  }

  /** Keeps an endpoint in the place of what was known of the instance. Its records are still those of before. */
  put(endpoint: Endpoint): HeldEndpoint {
    const held = this.#byId.get(endpoint.instanceId) ?? this.#add(endpoint);
    this.#forgetAddresses(held);
    held.change(endpoint);
    for (const { ip } of endpoint.addresses) this.#byAddress.set(ip, held);
    return held;
  }

  delete(id: InstanceId): HeldEndpoint | undefined {
    const held = this.#byId.get(id);
    if (held === undefined) return undefined;
    this.#byId.delete(id);
    this.#forgetAddresses(held);
    held.app.endpoints.delete(held);
    if (held.app.endpoints.size === 0) this.#byApp.delete(held.endpoint.appId);
    return held;
  }

  #add(endpoint: Endpoint): HeldEndpoint {
    const { appId, instanceId } = endpoint;
    const app = this.#byApp.get(appId) ?? {
      names: appNames(appId, this.#context.options),
      endpoints: new Set(),
    };
    const held = new HeldEndpoint(endpoint, app, this.#context);
    this.#byApp.set(appId, app);
    this.#byId.set(instanceId, held);
    app.endpoints.add(held);
    return held;
  }

  #forgetAddresses(held: HeldEndpoint): void {
    for (const { ip } of held.endpoint.addresses)
      if (this.#byAddress.get(ip) === held) this.#byAddress.delete(ip);
  }
}
