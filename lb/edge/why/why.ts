/** What somebody would like to ask the edge for, and from where. */
export type WhyQuestion = {
  readonly url: string;
  /** Default GET. */
  readonly method?: string;
  /** Further fields of the request. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  /** Default 127.0.0.1. */
  readonly client?: string;
  /** Of the table of the listener it comes to (`scopeOf`); default the shared one. */
  readonly scope?: string;
};

export type LinkName =
  | 'edge'
  | 'listener'
  | 'certificate'
  | 'request'
  | 'route'
  | 'policy'
  | 'endpoints'
  | 'health'
  | 'connection'
  | 'answers';

/** One step of a request's way. The first that is not `ok` is where it ends. */
export type WhyLink = {
  readonly link: LinkName;
  readonly ok: boolean;
  readonly says: string;
  /** What to do about it. */
  readonly next?: string;
  /** The app whose endpoints are missing. */
  readonly app?: string;
};

export function good(link: LinkName, says: string): WhyLink {
  return { link, ok: true, says };
}

export function broken(link: LinkName, says: string, next: string): WhyLink {
  return { link, ok: false, says, next };
}
