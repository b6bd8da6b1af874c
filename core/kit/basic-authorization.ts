/** Where an API is, and the header `authorization` it is asked with; absent: none. */
export type ApiTarget = { readonly url: string; readonly authorization?: string };

/** `http://user:password@host:port` taken apart; without credentials of its own it gets those given, `user:password`. */
export function apiTarget(text: string, credentials?: string): ApiTarget {
  const url = new URL(text);
  const own = [url.username, url.password].map(decodeURIComponent).join(':');
  const used = url.username === '' ? credentials : own;
  url.username = '';
  url.password = '';
  const target = { url: url.href.replace(/\/+$/, '') };
  return used === undefined ? target : { ...target, authorization: basicAuthorization(used) };
}

/** RFC 7617, in UTF-8. */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}
