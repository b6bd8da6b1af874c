import type { App } from '../core/model/app.ts';
import type { Member } from './view.ts';

/** Which of an app's instances end first (Marathon §16.4): those that do not serve, then by age. */
export function firstToStop(members: readonly Member[], app: Pick<App, 'killSelection'>): readonly Member[] {
  const direction = app.killSelection === 'YOUNGEST_FIRST' ? -1 : 1;
  return members.toSorted(
    (a, b) =>
      Number(a.ready) - Number(b.ready) ||
      direction * (a.placement.createdAt - b.placement.createdAt) ||
      (a.placement.instanceId < b.placement.instanceId ? -1 : 1),
  );
}
