import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';

/** What the operator decided about placing, beside what apps ask for. */
export type PlacementRules = {
  /** `spread` prefers agents with much left and few of the app, `pack` fills one after the other. */
  readonly ranking: 'spread' | 'pack';
  /** `restricted`: agents with graphics processors are kept for apps that want some. */
  readonly gpuAgents: 'unrestricted' | 'restricted';
  /** The region that apps without a constraint on the fault domain stay in (Marathon §13.2); absent: any. */
  readonly region?: string;
};

export const plainRules: PlacementRules = { ranking: 'spread', gpuAgents: 'unrestricted' };

export type Withheld = {
  readonly reason: 'UnfulfilledConstraint' | 'DeclinedScarceResources';
  readonly detail: string;
};

/** Why the operator's rules keep an app from an agent, or undefined. */
export function withheld(app: App, rules: PlacementRules, agent: Agent): Withheld | undefined {
  const { hostname, attributes, resources } = agent;
  const { region } = attributes;
  if (staysHome(app, rules) && region !== undefined && region !== rules.region) {
    const detail = `${hostname} is in region ${region}, without a constraint on @region apps stay in ${rules.region}`;
    return { reason: 'UnfulfilledConstraint', detail };
  }
  if (avoidsGpus(app, rules) && resources.gpus > 0)
    return { reason: 'DeclinedScarceResources', detail: `${hostname} is kept for apps that want gpus` };
  return undefined;
}

/** Whether the rules could keep this app from any agent at all. */
export function areAnyWithheld(app: App, rules: PlacementRules): boolean {
  return staysHome(app, rules) || avoidsGpus(app, rules);
}

function staysHome({ constraints }: App, { region }: PlacementRules): boolean {
  return region !== undefined && !constraints.some(({ field }) => field === '@region' || field === '@zone');
}

function avoidsGpus({ gpus }: App, { gpuAgents }: PlacementRules): boolean {
  return gpuAgents === 'restricted' && gpus === 0;
}
