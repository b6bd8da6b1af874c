import type { Chance } from './chance.ts';
import { chunks, end, field } from './request-grammar.ts';

const statuses = ['200', '200', '200', '204', '304', '404', '500', '206', '301', '418', '599'];
const oddStatuses = ['101', '000', '099', '600', '999', '20', '2000', '2 0', '', 'abc', '-20'];
const phrases = [' OK', ' ', '', ' Not Found', ' \xe9', ' a\tb', '  two'];
const oddPhrases = ['OK', ' a\0', ' a\r', ' a\n', '\t'];
const versions = [
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/1.2',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/0.9',
  'ICY',
  'HTTP/1.1\t',
];
const interims = [
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
  'HTTP/1.1 102 P\r\nContent-Length: 5\r\n\r\n',
];
const framings = [
  ['Content-Length: 5'],
  ['Content-Length: 5'],
  ['Content-Length: 0'],
  ['Content-Length: 9'],
  [],
  ['Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked'],
  ['Transfer-Encoding: Chunked'],
];
const oddFramings = [
  ['Transfer-Encoding: gzip, chunked'],
  ['Transfer-Encoding: gzip'],
  ['Transfer-Encoding: chunked', 'Content-Length: 5'],
  ['Content-Length: 5', 'Content-Length: 5'],
  ['Content-Length: 5, 5'],
  ['Content-Length: +5'],
  ['Content-Length:'],
  ['Transfer-Encoding: identity'],
  ['Transfer-Encoding: '],
  ['Transfer-Encoding: chunked, chunked'],
];

/** The answer of an endpoint, mostly right, as lenient servers may write it. */
export function answers(chance: Chance): string {
  let text = '';
  while (chance.happens(0.12)) text += chance.of(interims);
  text += answer(chance);
  if (chance.happens(0.1)) text += chance.happens(0.5) ? answer(chance) : 'more';
  return chance.happens(0.1) ? text.slice(0, chance.below(text.length + 1)) : text;
}

function answer(chance: Chance): string {
  const version = chance.happens(0.94) ? 'HTTP/1.1' : chance.of(versions);
  const status = chance.of(chance.happens(0.96) ? statuses : oddStatuses);
  const phrase = chance.of(chance.happens(0.97) ? phrases : oddPhrases);
  const framing = chance.of(chance.happens(0.85) ? framings : oddFramings);
  const others = Array.from({ length: chance.below(4) }, () => field(chance));
  const lines = [`${version} ${status}${phrase}`, ...others, ...framing, ''];
  const body = framing.some((line) => line.includes('chunked')) ? chunks(chance) : content(chance);
  return lines.map((line) => line + end(chance)).join('') + body;
}

function content(chance: Chance): string {
  return chance.happens(0.7) ? 'hello' : chance.of(['', 'hell', 'hello and more', '\r\n\r\n']);
}
