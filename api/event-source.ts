import type { App } from '../core/model/app.ts';
import type { Deployment } from '../core/model/deployment.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { MasterEvent } from '../core/state/event-bus.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { versionKey } from '../core/state/tables.ts';
import type { ApiDependencies } from './dependencies.ts';
import { type Emission, emission } from './event-client.ts';
import { groupInfo, type Tree, treeOf } from './groups.ts';
import {
  type ApiEvent,
  apiEvents,
  checkEvents,
  failedCheckEvents,
  instanceEvents,
  launchEvents,
  unknownEndEvent,
} from './marathon/events.ts';
import { faultEvents, reachEvents } from './marathon/placement-events.ts';
import { type Json, renderApp } from './marathon/render-app.ts';
import { renderPod } from './marathon/render-pod.ts';

type Source = Pick<ApiDependencies, 'database' | 'events' | 'clock'>;

/** Turns what the master does, and what happens to apps and instances, into events. Returns the function that ends it. */
export function followEvents(
  { database, events, clock }: Source,
  emit: (event: Emission) => void,
): () => void {
  const { snapshot } = database;
  const known = {
    apps: new Map<string, App>(snapshot.table('apps')),
    instances: new Map<string, Instance>(snapshot.table('instances')),
    placements: new Map<string, Placement>(snapshot.table('placements')),
  };
  const tell = (list: readonly ApiEvent[]) => {
    for (const event of list) emit(emission(event));
  };
  const ends = [
    events.subscribe((event) => {
      for (const light of apiEvents(event, clock.now())) emit(withPlan(event, light, snapshot));
    }),
    database.onChange((change) => {
      for (const { table, key, value } of change.records) {
        if (table === 'apps') tell(appChanged(key, value as App | undefined));
        if (table === 'placements') tell(placed(key, value as Placement | undefined));
        if (table === 'instances') tell(instanceChanged(key, value as Instance | undefined));
      }
    }),
  ];
  return () => {
    for (const end of ends) end();
  };

  function appChanged(id: string, after: App | undefined): readonly ApiEvent[] {
    const before = known.apps.get(id);
    if (after === undefined) known.apps.delete(id);
    else known.apps.set(id, after);
    return checkEvents({ id, before, after }, clock.now());
  }

  function placed(id: string, placement: Placement | undefined): readonly ApiEvent[] {
    const before = known.placements.get(id);
    if (placement === undefined) {
      known.placements.delete(id);
      return [];
    }
    known.placements.set(id, placement);
    const agent = snapshot.table('agents').get(placement.agentId);
    if (before === undefined) return launchEvents(placement, agent, clock.now());
    const instance = snapshot.table('instances').get(id);
    const app = versionOf(placement);
    const now = clock.now();
    return [
      ...reachEvents({ before, placement, instance, agent, app }, now),
      ...(before.fault === undefined ? faultEvents({ placement, instance, agent, app }, now) : []),
    ];
  }

  function versionOf({ appId, appVersion }: Pick<Instance, 'appId' | 'appVersion'>): App | undefined {
    return snapshot.table('versions').get(versionKey(appId, appVersion));
  }

  function instanceChanged(id: string, after: Instance | undefined): readonly ApiEvent[] {
    const before = known.instances.get(id);
    if (after === undefined) known.instances.delete(id);
    if (after === undefined) return [];
    known.instances.set(id, after);
    const placement = snapshot.table('placements').get(id);
    // It was given up with its agent: its end is that of a stranger (§16.5).
    if (placement?.expungedAt !== undefined)
      return after.state.kind === 'ended' ? [unknownEndEvent(after, clock.now())] : [];
    const agent = snapshot.table('agents').get(after.agentId);
    const app = versionOf(after);
    return [
      ...failedCheckEvents({ before, after, checks: app?.healthChecks ?? [] }, clock.now()),
      ...instanceEvents({ before, after, placement, agent, pod: app?.pod }, clock.now()),
    ];
  }
}

/** The heavy form shows the root before and after, which costs as much as the root is large: only for who asks. */
function withPlan(event: MasterEvent, light: ApiEvent, snapshot: Snapshot): Emission {
  if (!('deployment' in event)) return emission(light);
  return emission(light, () => ({
    ...light,
    plan: { ...(light['plan'] as Json), ...groupsOf(event.deployment, treeOf(snapshot)) },
  }));
}

function groupsOf(deployment: Deployment, target: Tree): Json {
  const original = { ...target, apps: new Map(target.apps) };
  for (const [id, app] of Object.entries(deployment.originals)) {
    if (app === null) original.apps.delete(id);
    else original.apps.set(id, app);
  }
  const sections = { apps: true, groups: true, pods: true };
  const info = (tree: Tree) => groupInfo(tree, '/', { sections, renderApp, renderPod });
  return { original: info(original), target: info(target) };
}
