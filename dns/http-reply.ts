/** A piece of a list that is too long to be made at once: JSON as text, with no commas between the items. */
export type HttpPage = {
  readonly status: 200;
  readonly items: readonly string[];
  /** What stands before the items, and behind them. */
  readonly open?: string;
  readonly close?: string;
  /** Where the next piece begins; absent: this is the last. */
  readonly next?: number;
};

/** The reply to GET of a path: `body` is sent as JSON, `text` as it is. */
export type HttpReply =
  | HttpPage
  | { readonly status: number; readonly body: unknown }
  | { readonly status: number; readonly text: string };

export const notFound: HttpReply = { status: 404, body: { message: 'not found' } };
export const notImplemented: HttpReply = { status: 501, body: { message: 'not implemented' } };

export function ok(body: unknown): HttpReply {
  return { status: 200, body };
}

/** What stands between the slashes of a path, without its query; undefined when it is not well-formed. */
export function pathParts(path: string): readonly string[] | undefined {
  try {
    const plain = path.split('?')[0] ?? '';
    return plain
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
