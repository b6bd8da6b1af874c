import type { Chance } from './chance.ts';

const methods = [
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'PUT',
  'HEAD',
  'OPTIONS',
  'DELETE',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'M-SEARCH',
  'PURGE',
];
const oddMethods = ['CONNECT', 'get', 'FOO', 'PRI', 'GE', 'GETX', 'SOURCE', 'DESCRIBE', 'QUERY'];
const targets = [
  '/',
  '/',
  '/a',
  '/a/b?c=d',
  '/%2e%2e/x',
  '//x',
  '/a;b=c',
  "/!$&'()*+,=@~",
  '/?',
  '/a?b?c',
  '/\\',
  '/a|b',
  '/a{b}',
  '/"<>^`',
];
const oddTargets = [
  '*',
  'http://web.test/',
  'http://WEB.test:81?x',
  'https://web.test',
  'http://u@web.test/',
  'web.test:443',
  'a',
  '/a#b',
  '/\xe9',
  '/a b',
  'http:/x',
  'ftp://web.test/',
  'http://[::1]/',
  'http://a:b/',
  '/\t',
  '',
];
const versions = [
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.2',
  'http/1.1',
  'HTTP/1.1 ',
  'HTTP/11',
  'HTTP/1,1',
  'ICE/1.0',
  'RTSP/1.0',
  '',
];
const hosts = [
  'web.test',
  'web.test',
  'WEB.test:80',
  'web.test.',
  '[::1]:80',
  '127.0.0.1',
  '',
  'a b',
  'u@web.test',
  'web.test/x',
  'a,b',
  'web%41.test',
  'web.test:99999',
  '\xe9',
];
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r\n', ' \r\n', '\r\n '];
const connections = [
  'close',
  'keep-alive',
  'Close',
  'upgrade',
  'x-a',
  'close, x-a',
  'keep-alive, close',
  'Upgrade, HTTP2-Settings',
  'content-length',
  'transfer-encoding',
  'host',
  ',',
  'close,,',
  'a b',
  'close;x',
  'te',
  '',
];
const names = [
  'X-A',
  'x-b',
  'Accept',
  'Cookie',
  'Via',
  'TE',
  'Trailer',
  'Expect',
  'Upgrade',
  'X-Forwarded-For',
  'Forwarded',
  'Keep-Alive',
  'Proxy-Connection',
  'X_Y',
  "!#$%&'*+-.^_`|~",
  'Content-Type',
  'Content-Lengt',
  'Content-Lengthx',
  'Transfer-Encodin',
  'HTTP2-Settings',
  'X_Forwarded_For',
  'Content_Length',
  'Proxy',
];
const oddNames = ['X A', 'X\t', 'X\0', '', ' X', 'X(', 'X\xe9', '"X"', 'X\r', ':'];
const values = [
  '',
  'b',
  ' b ',
  '\tb\t',
  'a\tb',
  'a, b',
  '"q"',
  'a:b',
  '100-continue',
  'websocket',
  'h2c',
  'trailers',
  '\xe9\xff',
  'x'.repeat(70),
  'timeout=5',
];
const oddValues = ['a\0b', 'a\x01', 'a\rb', 'a\nb', '\x7f', 'a\r\n b', '\x0bb', '\x1b'];
const codings = [
  'chunked',
  'Chunked',
  ' chunked ',
  'gzip, chunked',
  'chunked, gzip',
  'chunked,',
  ',chunked',
  'chunked, chunked',
  'identity',
  'chunked;a',
  '"chunked"',
  'xchunked',
  'chunked\x0b',
  '',
  'gzip',
  'chunked\t',
];
const extensions = [
  '',
  '',
  '',
  ';a',
  ';a=b',
  ';a="b c"',
  ';a;b',
  '; a',
  ' ;a',
  ';a="\\""',
  ';a="',
  ';',
  ';a=',
  ';\x7f',
  ';a=\xe9',
  ' ',
  '\t',
  ';a="\xe9"',
  ';a="\t"',
  ';a="\\\xe9"',
  ';a=b"c"',
  ';a="b"c',
  ';(',
  ';a==b',
  ';a=b;;',
];
const sizes = [
  '5',
  '05',
  '0005',
  '5',
  '5',
  'A',
  '0x5',
  '+5',
  '-5',
  '5_',
  '',
  'FFFFFFFFFFFFFFFF',
  '10000000000000005',
  '5\0',
];
const trailers = [
  '',
  '',
  '',
  'T: v\r\n',
  'Content-Length: 5\r\n',
  'X : y\r\n',
  ' X: y\r\n',
  'X\r\n',
  'X: a\nY: b\r\n',
  'Host: x\r\n',
  ': x\r\n',
  'A: b\r\nC: d\r\n',
  'X: \x01\r\n',
];
const lengths = [
  '5',
  '5',
  '05',
  '0',
  '+5',
  '-5',
  '5,5',
  '5, 5',
  '0x5',
  '5.0',
  '',
  ' 5 ',
  '\t5',
  '5 5',
  '99999999999999999999',
  '4',
  '6',
  '5;',
  '\x0b5',
  '5\0',
  '18446744073709551621',
];
const content = 'hello';

/** One to three requests, mostly right, each with something that parsers may read in two ways. */
export function requests(chance: Chance): string {
  let text = chance.happens(0.05) ? chance.of(['\r\n', '\r\n\r\n', '\n', '\r', ' ']) : '';
  for (let n = chance.happens(0.6) ? 1 : 2 + chance.below(2); n > 0; n--) text += request(chance);
  return chance.happens(0.05) ? text.slice(0, chance.below(text.length + 1)) : text;
}

function request(chance: Chance): string {
  const [fields, body] = framing(chance);
  const method = pick(chance, methods, oddMethods, 0.02);
  const version = chance.happens(0.96) ? 'HTTP/1.1' : chance.of(versions);
  const gap = chance.happens(0.99) ? ' ' : chance.of(['  ', '\t', '', '\xa0']);
  const line = `${method}${gap}${pick(chance, targets, oddTargets, 0.05)} ${version}`;
  const host = chance.happens(0.95) ? ['Host: web.test'] : hostFields(chance);
  const others = Array.from({ length: chance.below(4) }, () => field(chance));
  const lines = [line, ...shuffled(chance, [...host, ...others, ...fields]), ''];
  return lines.map((line) => line + end(chance)).join('') + body;
}

function framing(chance: Chance): readonly [fields: readonly string[], body: string] {
  switch (chance.below(8)) {
    case 0:
    case 1:
      return [['Content-Length: 5'], content];
    case 2:
      return [[`Content-Length:${chance.of(lengths)}`], content];
    case 3:
    case 4:
      return [['Transfer-Encoding: chunked'], chunks(chance)];
    case 5:
      return [[`Transfer-Encoding:${chance.of(codings)}`], chunks(chance)];
    case 6:
      return chance.happens(0.3) ? both(chance) : [[], ''];
    default:
      return [[], ''];
  }
}

function both(chance: Chance): readonly [fields: readonly string[], body: string] {
  const length = `Content-Length: ${chance.of(lengths)}`;
  const other = chance.happens(0.5)
    ? `Transfer-Encoding: ${chance.of(codings)}`
    : `Content-Length: ${chance.of(lengths)}`;
  return [[length, other], chance.happens(0.5) ? content : chunks(chance)];
}

/** A chunked content; `hello` in each chunk. */
export function chunks(chance: Chance): string {
  let text = '';
  for (let n = chance.below(3); n > 0; n--) {
    const size = chance.happens(0.9) ? '5' : chance.of(sizes);
    const extension = chance.happens(0.7) ? '' : chance.of(extensions);
    text += `${size}${extension}${end(chance)}${content}${end(chance)}`;
  }
  const last = chance.happens(0.9) ? '0' : chance.of(['00', '0 ', '0;a', '', '0x0', '-0']);
  return `${text}${last}${end(chance)}${chance.of(trailers)}${end(chance)}`;
}

function hostFields(chance: Chance): string[] {
  const count = chance.of([0, 1, 1, 1, 2]);
  return Array.from({ length: count }, () => `Host: ${chance.of(hosts)}`);
}

export function field(chance: Chance): string {
  if (chance.happens(0.15)) return `Connection: ${chance.of(connections)}`;
  const colon = chance.happens(0.99) ? ':' : chance.of([' :', '\t:', '', '::', '=']);
  return `${pick(chance, names, oddNames, 0.02)}${colon}${chance.of(['', ' ', '\t', '  '])}${pick(chance, values, oddValues, 0.02)}`;
}

export function end(chance: Chance): string {
  return chance.happens(0.998) ? '\r\n' : chance.of(lineEnds);
}

function pick<T>(chance: Chance, usual: readonly T[], odd: readonly T[], share: number): T {
  return chance.of(chance.happens(share) ? odd : usual);
}

function shuffled(chance: Chance, list: string[]): string[] {
  for (let n = list.length - 1; n > 0; n--) {
    const other = chance.below(n + 1);
    [list[n], list[other]] = [list[other]!, list[n]!];
  }
  return list;
}
