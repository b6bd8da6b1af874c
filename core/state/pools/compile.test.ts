import t from 'tap';
import { readPool } from '../../model/edgelb/read-pool.ts';
import { poolWith } from '../../model/edgelb/testing/validation-cases.ts';
import { compilePool } from './compile.ts';

type Json = Readonly<Record<string, unknown>>;

/** What of a pool, changed so, does nothing. */
function notesOf(changes: Parameters<typeof poolWith>[0]): readonly string[] {
  const read = readPool(poolWith(changes));
  if (read.kind === 'faults') throw new Error(JSON.stringify(read.faults));
  return compilePool(read.pool, {}).notes.map(({ path, error }) => `${path} ${error}`);
}

const rules = (...map: readonly Json[]) => ({
  linkBackend: { defaultBackend: 'web', map: map.map((rule) => ({ backend: 'web', ...rule })) },
});

t.test('a pool that says nothing special has all of it in force', async (t) => {
  t.same(notesOf({}), []);
});

for (const [what, changes, note] of [
  [
    'a host with a port',
    { in: rules({ hostEq: 'a.test' }, { hostEq: 'a.test:81' }) },
    '/haproxy/frontends/0/linkBackend/map/1/hostEq ',
  ],
  [
    'a path behind TLS',
    { in: { protocol: 'TLS', ...rules({ hostEq: 'a', pathBeg: '/b' }) } },
    '/haproxy/frontends/0/linkBackend/map/0/pathBeg ',
  ],
  ['a line before the rules', { in: { miscStrs: ['acl x'] } }, '/haproxy/frontends/0/miscStrs '],
  [
    'a word of bind',
    { in: { bindModifier: 'accept-proxy crt-list' } },
    '/haproxy/frontends/0/bindModifier "crt-list"',
  ],
  ['an unknown algorithm', { backendIs: { balance: 'rdp-cookie' } }, '/haproxy/backends/0/balance '],
  [
    'a line before the servers',
    { backendIs: { miscStrs: ['timeout tunnel 1h'] } },
    '/haproxy/backends/0/miscStrs "timeout tunnel 1h"',
  ],
  [
    'a check that is not known',
    { backendIs: { customCheck: { miscStr: 'http-check expect string ok' } } },
    '/haproxy/backends/0/customCheck ',
  ],
  [
    'a word of a server',
    { serviceIs: { endpoint: { portName: 'http', miscStr: 'weight 20 maxconn 5' } } },
    '/haproxy/backends/0/services/0/endpoint/miscStr "maxconn 5"',
  ],
  [
    'half a rewriting',
    { backendIs: { rewriteHttp: { path: { fromPath: '/a' } } } },
    '/haproxy/backends/0/rewriteHttp/path ',
  ],
  [
    'a field that is told anyway',
    { backendIs: { rewriteHttp: { request: { forwardfor: false } } } },
    '/haproxy/backends/0/rewriteHttp/request/forwardfor ',
  ],
  ['more tasks', { of: { count: 3 } }, '/count '],
  ['a role', { of: { role: '*' } }, '/role '],
  [
    'a secret that is not there',
    { in: { protocol: 'HTTPS', certificates: ['$SECRETS/f'] } },
    '/haproxy/frontends/0/certificates/0 ',
  ],
] as const)
  t.test(`${what} does nothing, which is told with its place`, async (t) => {
    const notes = notesOf(changes as Parameters<typeof poolWith>[0]);
    t.ok(notes.length === 1 && notes[0]?.startsWith(note), notes.join('\n'));
  });
