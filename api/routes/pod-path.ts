import type { AppId } from '../../core/model/ids.ts';

export type PodPath =
  | { readonly kind: 'pod' | 'status' | 'versions' | 'instances'; readonly id: AppId }
  | { readonly kind: 'version'; readonly id: AppId; readonly version: string }
  | { readonly kind: 'instance'; readonly id: AppId; readonly instance: string }
  | { readonly kind: 'unknown' };

/** What `/v2/pods/…` names: sub-resources follow the id after a doubled colon (Marathon §6). */
export function podPath(text: string): PodPath {
  const [path = '', suffix, ...rest] = text.split('::');
  const id = `/${path.split('/').filter(Boolean).join('/')}`;
  if (suffix === undefined) return { kind: 'pod', id };
  const [name, item, ...more] = [suffix, ...rest].join('::').split('/').filter(Boolean);
  if (more.length > 0) return { kind: 'unknown' };
  if (item === undefined && (name === 'status' || name === 'versions' || name === 'instances'))
    return { kind: name, id };
  if (item !== undefined && name === 'versions') return { kind: 'version', id, version: item };
  if (item !== undefined && name === 'instances') return { kind: 'instance', id, instance: item };
  return { kind: 'unknown' };
}
