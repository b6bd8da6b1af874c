import { timestamp } from '../../core/kit/clock.ts';
import type { Agent } from '../../core/model/agent.ts';
import { type App, isPod } from '../../core/model/app.ts';
import type { TaskFailure } from '../../core/state/tables.ts';
import type { Attempt, Waiting } from '../dependencies.ts';
import type { Free } from '../free-resources.ts';
import { type Json, renderApp } from './render-app.ts';
import { renderPod } from './render-pod.ts';

/** The order in which Marathon counts why an agent was not used (§8.1). */
const funnel = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
];

export type QueueFacts = {
  readonly app: App;
  readonly waiting: Waiting;
  /** Absent until the first was counted. */
  readonly attempt: Attempt | undefined;
  readonly failure: TaskFailure | undefined;
  readonly now: number;
};

/** One app that waits to be launched. What looking at one agent for one instance comes to counts as one offer. */
export function renderQueueItem({ app, waiting, attempt, failure, now }: QueueFacts): Json {
  const delayed = waiting.kind === 'backoff' ? Math.max(0, Math.ceil((waiting.until - now) / 1000)) : 0;
  const refusals = waiting.kind === 'no-agent' ? waiting.refusals : [];
  return {
    ...(isPod(app) ? { pod: renderPod(app) } : { app: renderApp(app) }),
    count: waiting.count,
    delay: { timeLeftSeconds: delayed, overdue: delayed === 0 },
    since: timestamp(since(app, failure, now)),
    processedOffersSummary: offersSummary(refusals, attempt, now),
  };
}

/** The last offers are those of now; the attempt adds up what was found since it began, which is at least that. */
function offersSummary(refusals: Refusals, attempt: Attempt | undefined, now: number): Json {
  const last = countsOf(refusals);
  const isCounted = attempt !== undefined && attempt.unused >= refusals.length;
  const unused = isCounted ? attempt.unused : refusals.length;
  const unusedAt = isCounted ? attempt.lastUnusedAt : now;
  const used = attempt?.used ?? 0;
  return {
    processedOffersCount: used + unused,
    unusedOffersCount: unused,
    ...(unused === 0 || unusedAt === undefined ? {} : { lastUnusedOfferAt: timestamp(unusedAt) }),
    ...(attempt?.lastUsedAt === undefined ? {} : { lastUsedOfferAt: timestamp(attempt.lastUsedAt) }),
    rejectSummaryLastOffers: summary(last),
    rejectSummaryLaunchAttempt: summary(isCounted ? attempt.refused : last),
  };
}

type Refusals = readonly { readonly reason: string }[];

function countsOf(refusals: Refusals): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of refusals) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

/** An agent that could not be used, as a Mesos offer of what it has left. */
export function renderUnusedOffer(
  agent: Agent,
  { reason, free, now }: { reason: string; free: Free; now: number },
): Json {
  const scalars = Object.entries(free.resources).map(([name, scalar]) => ({ name, role: '*', scalar }));
  return {
    offer: {
      id: agent.id,
      hostname: agent.hostname,
      agentId: agent.id,
      resources: [...scalars, { name: 'ports', role: '*', ranges: free.ports }],
      attributes: Object.entries(agent.attributes).map(([name, text]) => ({ name, text })),
    },
    reason: [reason],
    timestamp: timestamp(now),
  };
}

/** It wants instances since it was last changed, or since one of them failed. */
function since(app: App, failure: TaskFailure | undefined, now: number): number {
  const changed = Date.parse(app.version);
  return Math.min(now, Math.max(Number.isNaN(changed) ? 0 : changed, failure?.at ?? 0));
}

/** Each refusal is counted once; a row processes what the one before it let pass. */
function summary(refused: ReadonlyMap<string, number>): readonly Json[] {
  let processed = refused.values().reduce((sum, count) => sum + count, 0);
  if (processed === 0) return [];
  return funnel.map((reason) => {
    const declined = refused.get(reason) ?? 0;
    const row = { reason, declined, processed };
    processed -= declined;
    return row;
  });
}
