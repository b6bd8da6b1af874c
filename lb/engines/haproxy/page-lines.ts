import { phrases } from '../../edge/request/pages.ts';
import { literal, word } from './words.ts';

export type Page = {
  readonly status: number;
  /** A format: literal texts in it were made by `literal`. */
  readonly text: string;
  /** The whole content is `text`, of this type. */
  readonly contentType?: string | undefined;
  /** Values are formats. */
  readonly fields?: Readonly<Record<string, string>>;
};

/** A rule that answers by itself, with a page as those of the other engine. `when`: `if …` or `unless …`. */
export function answer(page: Page, when = ''): string {
  return `http-request return ${pageWords(page)}${when === '' ? '' : ` ${when}`}`;
}

const bodiless = new Set([204, 205, 304]);

/** What follows `return` and `http-error`. */
export function pageWords({ status, text, contentType, fields = {} }: Page): string {
  const title = `${status} ${phrases[status] ?? 'Error'}`;
  const own = `${title}\n\n${text}\nRequest id: %[unique-id]\n`;
  const all = { 'Cache-Control': 'no-store', 'X-Request-Id': '%[unique-id]', ...fields };
  const lines = Object.entries(all).map(([name, value]) => ` hdr ${word(name)} ${word(value)}`);
  // An empty type cannot be told.
  const type = word(contentType || 'text/plain; charset=utf-8');
  const content = contentType === undefined ? own : text;
  const body =
    content === '' || bodiless.has(status) ? '' : ` content-type ${type} lf-string ${word(content)}`;
  return `status ${status}${body}${lines.join('')}`;
}

export function moved(status: number, location: string, when = ''): string {
  const page = { status, text: `It is at ${location}`, fields: { Location: location } };
  return answer(page, when);
}

export const closedPage: Page = { status: 503, text: literal('The edge cannot carry out this route.') };
