import { type App, networkNames } from '../../core/model/app.ts';
import type { AgentView } from '../agent-view.ts';

/** The network of which an agent has no address left for the app, for people; undefined: it has one of each. */
export function addressShortage(app: App, view: AgentView): string | undefined {
  for (const name of networkNames(app)) {
    const size = view.addressesOf(name);
    const used = view.usedAddresses.get(name) ?? 0;
    if (used < size) continue;
    return `${view.agent.hostname} has no address of network ${name} left, ${used} of ${size} are in use`;
  }
  return undefined;
}
