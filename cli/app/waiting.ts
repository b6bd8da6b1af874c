import type { NodeInfo, QueueItem, Refusal } from '../master/answers.ts';
import type { Master } from '../master/master.ts';
import { count } from '../show/words.ts';

/** Apps and pods that have fewer instances than they want, by id, with every machine's reason. */
export async function readQueue(master: Master): Promise<ReadonlyMap<string, QueueItem>> {
  const { queue } = await master.get<{ queue: readonly QueueItem[] }>('/v2/queue', {
    query: { embed: 'refusals' },
  });
  return new Map(queue.map((item) => [idOf(item), item]));
}

export function idOf({ app, pod }: QueueItem): string {
  return app?.id ?? pod?.id ?? '';
}

/** One line: `3 instances wait: 2 machines: needs 4 cpus, h1 has 1.5 free; …`. */
export function whyShort(item: QueueItem): string {
  if (isBackingOff(item)) return `backs off for ${item.delay.timeLeftSeconds} s after a failure`;
  const reasons = reasonsOf(item);
  if (reasons.length === 0) return `${count(item.count, 'instance')} about to be placed`;
  return reasons
    .map(({ machines, example }) =>
      machines === 1 ? example : `${example} (and ${count(machines - 1, 'machine')} more)`,
    )
    .join('; ');
}

/** Lines: a sentence, then a line for each machine that was looked at. */
export function whyLong(item: QueueItem, nodes: readonly NodeInfo[]): readonly string[] {
  const waits = `${count(item.count, 'instance')} of ${idOf(item)} ${item.count === 1 ? 'waits' : 'wait'}`;
  if (isBackingOff(item))
    return [`${waits}: the last one failed, the next try is in ${item.delay.timeLeftSeconds} s.`];
  if (item.refusals === undefined || item.refusals.length === 0) {
    if (nodes.length === 0) return [`${waits}: there is no machine. Start one with "weir agent".`];
    const reasons = reasonsOf(item);
    return reasons.length === 0
      ? [`${waits}: about to be placed.`]
      : [`${waits}:`, ...reasons.map(({ example }) => `  ${example}`)];
  }
  const nameOf = (id: string) => nodes.find((node) => node.id === id)?.hostname ?? id;
  return [
    `${waits} because none of ${count(item.refusals.length, 'machine')} fits:`,
    ...item.refusals.map(({ agentId, reason, detail }) => `  ${nameOf(agentId)}: ${detail} (${reason})`),
  ];
}

export function isBackingOff({ delay }: QueueItem): boolean {
  return !delay.overdue && delay.timeLeftSeconds > 0;
}

type Reason = { readonly machines: number; readonly example: string };

/** Machines grouped by why they refused; without Weir's own words, Marathon's counts. */
function reasonsOf({ refusals, processedOffersSummary }: QueueItem): readonly Reason[] {
  if (refusals !== undefined) {
    const groups = Map.groupBy(refusals, (refusal: Refusal) => refusal.reason);
    return [...groups.values()].map((group) => ({ machines: group.length, example: group[0]!.detail }));
  }
  return (processedOffersSummary?.rejectSummaryLastOffers ?? [])
    .filter(({ declined }) => declined > 0)
    .map(({ reason, declined }) => ({ machines: 1, example: `${reason} on ${count(declined, 'machine')}` }));
}
