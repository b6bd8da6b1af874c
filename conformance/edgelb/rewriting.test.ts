import t, { type Test } from 'tap';
import { rewriteCases } from '../../core/model/edgelb/testing/rewrite-cases.ts';
import { engines } from '../product/engines.ts';
import { backend, openPoolHost, pool } from './pool-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const rewrites = [...new Set(rewriteCases.map(([from, to]) => `${from} ${to}`))];

for (const engine of engines)
  t.test(`what pools change on the way with the engine ${engine}`, { skip }, (t) => poolsRewrite(t, engine));

async function poolsRewrite(t: Test, engine: string): Promise<void> {
  const edge = await openPoolHost(t, `rewrite${engine}`, engine);
  const { ask } = edge;
  const simple = (bindPort: number, name: string, more: object = {}) => ({
    ...{ bindPort, protocol: 'HTTP', linkBackend: { defaultBackend: name }, ...more },
  });
  await edge.create(
    pool(
      'rewrites',
      [
        ...rewrites.map((_, n) => simple(21_200 + n, `r${n}`)),
        simple(21_220, 'headers'),
        simple(21_221, 'sticky'),
        simple(21_222, 'host'),
        simple(21_223, 'headers', {
          redirectToHttps: {
            except: [{ host: 'plain.test', pathBeg: '/open' }, { pathBeg: '/.well-known' }],
          },
        }),
      ],
      [
        ...rewrites.map((rewrite, n) => {
          const [fromPath, toPath] = rewrite.split(' ');
          return backend(`r${n}`, { rewriteHttp: { path: { fromPath, toPath } } });
        }),
        backend('headers', { rewriteHttp: {} }),
        backend('sticky', { rewriteHttp: { sticky: {} } }),
        backend('host', { rewriteHttp: { host: 'inner.test' } }),
      ],
    ),
  );
  const portOf = (from: string, to: string) => 21_200 + rewrites.indexOf(`${from} ${to}`);

  for (const [from, to, asked, forwarded] of rewriteCases)
    await t.test(`${asked} from ${from} to "${to}" is ${forwarded} for the server`, async (t) => {
      t.equal((await ask(asked, { port: portOf(from, to) })).echo?.url, forwarded);
    });

  await t.test(
    'Location: absolute, of this host and relative ones are led back, others are not',
    async (t) => {
      const port = portOf('/nginx', '/subpath');
      for (const [given, expected] of [
        ['/subpath/next', '/nginx/next'],
        ['http://a.test/subpath/next', '/nginx/next'],
        ['/elsewhere', '/elsewhere'],
        ['http://foreign.test/subpath/next', 'http://foreign.test/subpath/next'],
      ] as const) {
        const { headers } = await ask(`/nginx?location=${encodeURIComponent(given)}`, {
          port,
          host: 'a.test',
        });
        t.equal(headers['location'], expected, given);
      }
    },
  );

  await t.test(
    'servers are told client, port and scheme; Host only changes where that is said',
    async (t) => {
      const { echo } = await ask('/', { port: 21_220, host: 'a.test' });
      t.match(echo?.headers, {
        host: 'a.test',
        'x-forwarded-for': /127\.0\.0\.1$/,
        'x-forwarded-port': '21220',
      });
      t.equal((await ask('/', { port: 21_222, host: 'a.test' })).echo?.headers['host'], 'inner.test');
    },
  );

  await t.test(
    'a sticky client keeps its server, which does not see the cookie; an unknown one gets another',
    async (t) => {
      const { headers, echo } = await ask('/', { port: 21_221 });
      const given = String(headers['set-cookie']);
      const value = /^DCOS_SERVER_ID_FOR_THE_STICKY=([^;]+)/.exec(given)?.[1] ?? '';
      t.match(Buffer.from(value, 'base64').toString(), /^agentip_[0-9.]+_\d+$/);
      t.match(headers['cache-control'], /private|no-cache/);
      for (let n = 0; n < 4; n++) {
        const cookie = `DCOS_SERVER_ID_FOR_THE_STICKY=${value}; own=1`;
        const again = await ask('/', { port: 21_221, headers: { cookie } });
        t.match(again.echo, { task: echo?.task, headers: { cookie: 'own=1' } });
      }
      const lost = await ask('/', {
        port: 21_221,
        headers: { cookie: 'DCOS_SERVER_ID_FOR_THE_STICKY=bm9ib2R5' },
      });
      t.match(lost, { status: 200, headers: { 'set-cookie': /DCOS_SERVER_ID_FOR_THE_STICKY=/ } });
    },
  );

  await t.test(
    'everything is sent to TLS with 307 but for what both parts of an exception name',
    async (t) => {
      const to = async (host: string, path: string) => {
        const { status, headers } = await ask(path, { port: 21_223, host });
        return status === 307 ? headers['location'] : status;
      };
      t.equal(await to('a.test', '/x?y'), 'https://a.test/x?y');
      t.equal(await to('plain.test', '/open/x'), 200);
      t.equal(await to('plain.test', '/other'), 'https://plain.test/other');
      t.equal(await to('a.test', '/open'), 'https://a.test/open');
      t.equal(await to('a.test', '/.well-known/x'), 200);
    },
  );

  await t.test(
    'certificates of variables and of secrets are chosen by server name, the first for all other names',
    async (t) => {
      const [one, two] = [await edge.certificate('one.test'), await edge.certificate('two.test')];
      const pem = ({ key, cert }: typeof one) => `${cert}\n${key}`;
      await edge.api.must('POST', '/v1/certificates', { name: 'team.two', certificate: pem(two) });
      await edge.create(
        pool(
          'sni',
          [
            {
              ...{ bindPort: 21_230, protocol: 'HTTPS', linkBackend: { defaultBackend: 'b' } },
              certificates: ['$ENVFILE/ELB_FILE_ONE', '$SECRETS/two'],
            },
          ],
          [backend('b')],
          {
            environmentVariables: { ELB_FILE_ONE: pem(one) },
            secrets: [{ secret: 'team/two', file: 'two' }],
          },
        ),
      );
      const shown = (name: string) =>
        edge.host.shell(
          `openssl s_client -connect 127.0.0.1:21230 -servername ${name} </dev/null 2>/dev/null | openssl x509 -noout -subject`,
        );
      t.match(await shown('one.test'), /one\.test/);
      t.match(await shown('two.test'), /two\.test/);
      t.match(await shown('three.test'), /one\.test/);
      t.match(await edge.secure('two.test', 21_230), /"x-forwarded-proto":"https"/);
    },
  );
}
