import { phrases } from '../../edge/request/pages.ts';
import { literal, word } from './words.ts';

export type Page = {
  readonly status: number;
  /** One word, which the access log tells. */
  readonly why: string;
  /** A format: literal texts in it were made by `literal`. */
  readonly text: string;
  /** The whole content is `text`, of this type. */
  readonly contentType?: string | undefined;
  /** Values are formats. */
  readonly fields?: Readonly<Record<string, string>>;
};

/** Rules that answer by themselves, with a page as those of the other engine. `when`: `if …` or `unless …`. */
export function answer(page: Page, when = ''): readonly string[] {
  return [
    because(page.why, when),
    `http-request return ${pageWords(page)}${when === '' ? '' : ' if { var(txn.why) -m found }'}`,
  ];
}

/** Nobody else sets it: what is asked for once says both why and whether. */
export function because(why: string, when: string): string {
  return `http-request set-var(txn.why) str(${why})${when === '' ? '' : ` ${when}`}`;
}

const bodiless = new Set([204, 205, 304]);

/** What follows `return` and `http-error`. */
export function pageWords({ status, text, contentType, fields = {} }: Omit<Page, 'why'>): string {
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

export function moved(status: number, location: string, when = ''): readonly string[] {
  const page = { status, why: 'redirect', text: `It is at ${location}`, fields: { Location: location } };
  return answer(page, when);
}

export const closedPage: Page = {
  status: 503,
  why: 'closed',
  text: literal('The edge cannot carry out this route.'),
};
