import type { ApiDependencies } from '../dependencies.ts';
import { podAt } from '../kinds.ts';
import type { PodInstanceFacts } from '../marathon/pod-facts.ts';
import { renderKilledInstance } from '../marathon/render-pod-instance.ts';
import { podInstances } from '../pod-status.ts';
import { NotFound, Problem } from '../problem.ts';

/** Kills of single instances of a pod (Marathon §6), as the pod routes hand them over. Replacements start by themselves. */
export function podInstanceRoutes({ database, scheduler }: ApiDependencies) {
  async function kill(instances: readonly PodInstanceFacts[]) {
    const rendered = instances.map(renderKilledInstance);
    await scheduler.kill(
      instances.map(({ placement }) => placement.instanceId),
      'killed through the API',
    );
    return rendered;
  }

  function known(id: string): readonly PodInstanceFacts[] {
    const pod = podAt(database.snapshot.table('apps'), id);
    if (pod === undefined) throw new NotFound(`Pod '${id}' does not exist`);
    return podInstances(database.snapshot, pod);
  }

  return {
    async killOne(id: string, instance: string) {
      const found = known(id).find(({ placement }) => placement.instanceId === instance);
      if (found === undefined) throw new NotFound(`Task '${instance}' does not exist`);
      const [killed] = await kill([found]);
      return killed;
    },

    async killMany(id: string, body: unknown) {
      const wanted = idsIn(body);
      return kill(known(id).filter(({ placement }) => wanted.has(placement.instanceId)));
    },
  };
}

function idsIn(body: unknown): ReadonlySet<string> {
  if (Array.isArray(body) && body.every((id) => typeof id === 'string')) return new Set(body);
  const errors = [Array.isArray(body) ? 'error.expected.jsstring' : 'error.expected.jsarray'];
  throw new Problem(422, { message: 'Invalid JSON', details: [{ path: '/', errors }] });
}
