export type GroupPath =
  | { readonly kind: 'group' | 'apps' | 'versions'; readonly id: string }
  | { readonly kind: 'version'; readonly id: string; readonly version: string };

/** What `/v2/groups/…` names. Sub-resources are known by their ending; they exist of the root too (Marathon §5.2). */
export function groupPath(text = ''): GroupPath {
  const parts = text.split('/').filter((part) => part !== '');
  const id = (count: number) => `/${parts.slice(0, parts.length - count).join('/')}`;
  const [before, last] = [parts.at(-2), parts.at(-1)];
  if (last === 'apps' || last === 'versions') return { kind: last, id: id(1) };
  if (before === 'versions' && last !== undefined) return { kind: 'version', id: id(2), version: last };
  return { kind: 'group', id: id(0) };
}
