/** The statuses the edge answers by itself; node:http has the list too but costs 15 MB of memory. */
export const phrases: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

export type Page = {
  readonly status: number;
  /** A sentence for whoever reads the page; nothing about the inside. */
  readonly text: string;
  readonly requestId: string;
  /** ms since the epoch. */
  readonly now: number;
  readonly headOnly: boolean;
  readonly close: boolean;
  /** The client would rather have JSON. */
  readonly json?: boolean;
  /** Further field lines, each with its CRLF. */
  readonly fields?: string | undefined;
  /** `text` is the whole content, of this type. */
  readonly contentType?: string | undefined;
};

/** An answer of the edge itself, complete with head. It names the request id, under which logs have the details. */
export function renderPage(page: Page): string {
  const { title, fields, body } = pageParts(page);
  const close = page.close ? 'Connection: close\r\n' : '';
  const head = `HTTP/1.1 ${title}\r\n${fields}${close}\r\n`;
  return page.headOnly ? head : head + body;
}

/** The same in parts, for other protocols; `fields` are lines, each with its CRLF. */
export function pageParts(page: Page): {
  readonly title: string;
  readonly fields: string;
  readonly body: string;
} {
  const title = `${page.status} ${phrases[page.status] ?? 'Error'}`;
  const own = page.json === true ? 'application/json' : 'text/plain; charset=utf-8';
  const { contentType = own } = page;
  const body = page.contentType === undefined ? ownBody(page, title) : page.text;
  // RFC 9110 §15.5.6: what the edge refuses so is a tunnel, which no method leads to.
  const allow = page.status === 405 ? 'Allow: \r\n' : '';
  // RFC 9110 §6.6.1: whoever answers by itself and has a clock says when.
  const fields =
    `Date: ${new Date(page.now).toUTCString()}\r\n` +
    `Content-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n` +
    `Cache-Control: no-store\r\nX-Request-Id: ${page.requestId}\r\n${allow}${page.fields ?? ''}`;
  return { title, fields, body };
}

function ownBody({ status, text, requestId, json }: Page, title: string): string {
  if (json === true) return `${JSON.stringify({ status, message: text, requestId })}\n`;
  return `${title}\n\n${text}\nRequest id: ${requestId}\n`;
}
