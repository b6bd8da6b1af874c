import type { Frontend, Pool } from '../../model/edgelb/pool.ts';
import type { Listener, ListenerOptions, ListenerProtocol } from '../../model/listener.ts';
import { ignoredLine, type PoolNote } from './backend-options.ts';

export type FrontendPlace = { readonly listener: Listener; readonly notes: readonly PoolNote[] };

const protocols = {
  HTTP: 'http',
  HTTPS: 'https',
  TCP: 'tcp',
  TLS: 'tls-passthrough',
} as const satisfies Record<Frontend['protocol'], ListenerProtocol>;

/** Where a frontend listens (ingress.md A2.3). `port`: what `bindPort` became. */
export function frontendListener(
  { pool, frontend, owner }: { readonly pool: Pool; readonly frontend: Frontend; readonly owner: string },
  port: number,
  path: string,
): FrontendPlace {
  const id = `${owner}:${frontend.name}`;
  const bind = bindOptions(frontend.bindModifier, `${path}/bindModifier`);
  const certificates = frontend.protocol === 'HTTPS' ? certificateNames(pool, frontend) : [];
  const minTls = bind.options.minTls;
  const options: ListenerOptions = {
    ...(bind.options.acceptProxy && { acceptProxy: bind.options.acceptProxy }),
    ...(minTls && frontend.protocol === 'HTTPS' && { minTls }),
    ...(certificates.length > 0 && { certificates }),
  };
  const { bindAddress: address, protocol } = frontend;
  return {
    listener: {
      ...{ id, owner, address, port, protocol: protocols[protocol], table: id },
      ...(Object.keys(options).length > 0 && { options }),
    },
    notes: [
      ...bind.notes,
      ...frontend.miscStrs.map((line) => ({ path: `${path}/miscStrs`, error: ignoredLine(line) })),
      ...missingFiles(pool, frontend, path),
    ],
  };
}

/** Certificates are kept under the name of the secret; a path's slashes are dots there. */
export function certificateOfSecret(secret: string): string {
  return secret.replace(/^\/+/, '').replaceAll('/', '.').toLowerCase();
}

/** What a certificate given in an environment variable is kept as. */
export function certificateOfVariable(pool: string, variable: string): string {
  return `pool.${pool}.${variable.replace(/^ELB_FILE_/, '').toLowerCase()}`;
}

/** In the order given, the first for clients that name no host. `$AUTOCERT`: what an edge makes where no other fits. */
function certificateNames({ name, secrets }: Pool, { certificates }: Frontend): readonly string[] {
  return certificates.flatMap((reference) => {
    const [kind, file = ''] = reference.split('/');
    if (kind === '$SECRETS')
      return secrets.filter((one) => one.file === file).map(({ secret }) => certificateOfSecret(secret));
    return kind === '$ENVFILE' ? [certificateOfVariable(name, file)] : [];
  });
}

function missingFiles(pool: Pool, { certificates }: Frontend, path: string): readonly PoolNote[] {
  return certificates.flatMap((reference, n) => {
    const at = `${path}/certificates/${n}`;
    const [kind, file = ''] = reference.split('/');
    if (kind === '$SECRETS' && !pool.secrets.some((one) => one.file === file))
      return [{ path: at, error: `no secret of the pool has the file '${file}'` }];
    if (kind === '$ENVFILE' && !(file in pool.environmentVariables))
      return [{ path: at, error: `no environment variable of the pool is named '${file}'` }];
    return kind === '$AUTOCERT' && !pool.autoCertificate
      ? [{ path: at, error: 'autoCertificate is not true; a certificate is made all the same' }]
      : [];
  });
}

/** Of the words behind HAProxy's `bind` those that mean something to a listener. */
function bindOptions(text: string, path: string) {
  const words = text.split(/\s+/).filter((word) => word !== '');
  let options: Pick<ListenerOptions, 'acceptProxy' | 'minTls'> = {};
  const notes: PoolNote[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === 'accept-proxy') options = { ...options, acceptProxy: ['0.0.0.0/0', '::/0'] };
    else if (word === 'ssl-min-ver' && /^TLSv1\.[23]$/.test(words[at + 1] ?? ''))
      options = { ...options, minTls: words[++at] === 'TLSv1.3' ? '1.3' : '1.2' };
    else if (/^(no-sslv3|no-tlsv10|no-tlsv11|no-tls-tickets|v4v6|ssl)$/.test(word)) continue;
    else if (word === 'alpn' && /^(h2|http\/1\.1)(,(h2|http\/1\.1))*$/.test(words[at + 1] ?? '')) at++;
    else if (word === 'no-tlsv12') options = { ...options, minTls: '1.3' };
    else notes.push({ path, error: ignoredLine(word) });
  }
  return { options, notes };
}
