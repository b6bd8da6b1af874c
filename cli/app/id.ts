import { UsageError } from '../usage-error.ts';

/** `shop/web` and `/shop/web` are the same app. */
export function appId(text: string): string {
  const id = `/${text
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
  if (id === '/' || !/^\/[a-z0-9./-]+$/.test(id))
    throw new UsageError(
      `"${text}" is no id of an app: it is made of lower-case letters, digits, "-", "." and "/"`,
      'See the ids there are with "weir app list".',
    );
  return id;
}
