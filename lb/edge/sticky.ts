import { createHash } from 'node:crypto';

/** The cookie that marathon-lb's clients already hold. */
export const stickyCookie = 'mesosphere_server_id';

/** What the cookie says for an endpoint; nothing can be read from it. */
export function stickyValue(endpointKey: string): string {
  return createHash('sha1').update(endpointKey).digest('hex').slice(0, 10);
}

export type StickyCookies = {
  /** The endpoint the client asks for. */
  readonly wanted: string | undefined;
  /** All other cookies, as the service gets them; empty: none. */
  readonly others: string;
};

/** Takes our own cookie out of a `Cookie` value: the service is not to see it. */
export function readCookies(text: string, name = stickyCookie): StickyCookies {
  const pairs = text.split(';').map((pair) => pair.trim());
  const ours = pairs.find((pair) => pair.startsWith(`${name}=`));
  const others = pairs.filter((pair) => pair !== '' && !pair.startsWith(`${name}=`));
  return { wanted: ours?.slice(name.length + 1), others: others.join('; ') };
}
