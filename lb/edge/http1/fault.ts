/** Why a message is refused. `status` is for the client; `reason` is for the log and the error page. */
export type Fault = { readonly status: number; readonly reason: string };

const bad = (reason: string): Fault => ({ status: 400, reason });

export const faults = {
  firstLine: bad('malformed first line'),
  target: bad('malformed request target'),
  host: bad('malformed Host'),
  noHost: bad('no Host'),
  twoHosts: bad('more than one Host'),
  fieldName: bad('malformed field name'),
  fieldValue: bad('control character in a field value'),
  spaceBeforeColon: bad('whitespace before a colon'),
  fold: bad('a line that begins with whitespace'),
  bareLineFeed: bad('a line feed without carriage return'),
  bareReturn: bad('a carriage return without line feed'),
  contentLength: bad('malformed Content-Length'),
  twoLengths: bad('more than one length'),
  transferEncoding: bad('malformed Transfer-Encoding'),
  connection: bad('malformed Connection'),
  chunk: bad('malformed chunk'),
  trailer: bad('malformed trailer'),
  method: { status: 405, reason: 'CONNECT is not served here' },
  targetTooLong: { status: 414, reason: 'request line too long' },
  expectation: { status: 417, reason: 'unknown expectation' },
  headTooLarge: { status: 431, reason: 'header section too large' },
  coding: { status: 501, reason: 'unknown transfer coding' },
  version: { status: 505, reason: 'unknown HTTP version' },
} as const satisfies Record<string, Fault>;
