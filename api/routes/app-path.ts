import type { AppId } from '../../core/model/ids.ts';

export type AppPath =
  | { readonly kind: 'app' | 'restart' | 'tasks' | 'versions'; readonly id: AppId }
  | { readonly kind: 'task'; readonly id: AppId; readonly task: string }
  | { readonly kind: 'version'; readonly id: AppId; readonly version: string };

/** What `/v2/apps/…` names: ids have slashes, so sub-resources are known by their ending (Marathon §1.3). */
export function appPath(text: string): AppPath {
  const parts = text.split('/').filter((part) => part !== '');
  const id = (count: number) => `/${parts.slice(0, parts.length - count).join('/')}`;
  const [before, last] = [parts.at(-2), parts.at(-1)];
  if (parts.length > 1 && (last === 'restart' || last === 'tasks' || last === 'versions'))
    return { kind: last, id: id(1) };
  if (parts.length > 2 && before === 'tasks') return { kind: 'task', id: id(2), task: last ?? '' };
  if (parts.length > 2 && before === 'versions') return { kind: 'version', id: id(2), version: last ?? '' };
  return { kind: 'app', id: id(0) };
}
