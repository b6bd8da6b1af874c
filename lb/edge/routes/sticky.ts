/** The cookie that marathon-lb's clients already hold. */
export const stickyCookie = 'mesosphere_server_id';

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
