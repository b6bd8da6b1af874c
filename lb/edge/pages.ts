import { STATUS_CODES } from 'node:http';

export type Page = {
  readonly status: number;
  /** A sentence for whoever reads the page; nothing about the inside. */
  readonly text: string;
  readonly requestId: string;
  readonly headOnly: boolean;
  readonly close: boolean;
};

/** An answer of the edge itself, complete with head. It names the request id, under which logs have the details. */
export function renderPage(page: Page): string {
  const title = `${page.status} ${STATUS_CODES[page.status] ?? ''}`;
  const body = `${title}\n\n${page.text}\nRequest id: ${page.requestId}\n`;
  const close = page.close ? 'Connection: close\r\n' : '';
  const head =
    `HTTP/1.1 ${title}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n` +
    `Cache-Control: no-store\r\nX-Request-Id: ${page.requestId}\r\n${close}\r\n`;
  return page.headOnly ? head : head + body;
}
