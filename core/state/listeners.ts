import type { Listener } from '../model/listener.ts';
import type { Route } from '../model/route.ts';
import type { ListenerRecord } from './tables.ts';

/** An operator's listener as edges get it. */
export function operatorListener(record: ListenerRecord): Listener {
  const { name, route: _, ...rest } = record;
  return { ...rest, id: name, owner: `listener:${name}` };
}

/** The route that takes all that comes to it; undefined: other routes name its table. */
export function listenerRoute({ name, route }: ListenerRecord): Route | undefined {
  const id = `listener:${name}`;
  return route && { ...route, id, owner: id };
}
