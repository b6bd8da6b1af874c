import fc from 'fast-check';
import { RE2JS } from 're2js';
import t from 'tap';
import { haproxyLacks } from './haproxy-lacks.ts';
import { pcreOf } from './pcre.ts';
import type { Route } from './route.ts';

t.test('pcreOf says what RE2 would in the words of PCRE, for the whole text', async (t) => {
  for (const [source, pattern] of [
    ['/v\\d+', '^(?:/v\\d+)\\z'],
    ['a|b', '^(?:a|b)\\z'],
    ['(?P<n>x)y?$', '^(?:(x)y?\\z)\\z'],
    ['[a-z_\\s.]{2,3}', '^(?:[a-z_\\t\\n\\f\\r\\x20\\.]{2,3})\\z'],
    ['x{,2}', '^(?:x\\{\\,2\\})\\z'],
  ] as const)
    t.same(pcreOf(source), { pattern }, source);
});

t.test('pcreOf refuses what PCRE reads differently, or in exponential time', async (t) => {
  for (const source of ['(a+)+', '(a|a)*', '(?i)x', '\\pL', '\\Qa\\E', 'é', '(a?b?)*', '.*.*.*.*.*'])
    t.match(pcreOf(source), { fault: /./ }, source);
});

const piece = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\w',
  '(a|b)',
  '(?:ab)',
  '\\.',
  '-',
  '}',
  '/',
);
const repeated = fc
  .tuple(piece, fc.constantFrom('', '', '*', '+?', '?', '{2}', '{1,2}'))
  .map((parts) => parts.join(''));
const sources = fc.array(repeated, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '1', '-', '/', '}'), maxLength: 8 });

t.test('what pcreOf gives fits the same texts as the expression it was made of', async () => {
  fc.assert(
    fc.property(sources, texts, (source, text) => {
      const read = pcreOf(source);
      if ('fault' in read) return true;
      // JavaScript reads this part of PCRE's syntax alike.
      const expression = new RegExp(read.pattern.replaceAll('\\z', '$').replaceAll(/\\([-}])/g, '\\$1'));
      return expression.test(text) === RE2JS.compile(source).testExact(text);
    }),
    { numRuns: 2_000 },
  );
});

const route: Route = {
  ...{ id: 'r', host: 'a.test', pathPrefix: '/', owner: 'route:r' },
  service: { appId: '/web', portIndex: 0 },
};

t.test(
  'haproxyLacks has nothing to say of plain routes, and names what restricts apart from the rest',
  async (t) => {
    t.same(haproxyLacks(route), []);
    const service = { appId: '/other', portIndex: 0 };
    const forwardAuth = { service, path: '/' };
    t.same(haproxyLacks({ ...route, options: { forwardAuth } }), []);
    const options = { mirror: { service, percent: 1 }, forwardAuth, protocol: 'h2c' } as const;
    t.match(haproxyLacks({ ...route, options }), [
      { path: '/forwardAuth', effect: 'closed' },
      { path: '/mirror', effect: 'ignored', error: /^the engine haproxy does not send copies/ },
    ]);
    t.match(haproxyLacks({ ...route, pathKind: 'regex', pathPrefix: '/(a+)+' }), [{ effect: 'untold' }]);
  },
);
