import type { PoolFault } from '../core/model/edgelb/lenient.ts';
import type { Pool } from '../core/model/edgelb/pool.ts';
import type { PoolNote } from '../core/state/pools/backend-options.ts';
import type { CompiledPool } from '../core/state/pools/compile.ts';
import { certificateOfVariable } from '../core/state/pools/frontend-listener.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { readCertificate } from './read-certificate.ts';

export type PoolCertificates =
  | { readonly kind: 'writes'; readonly writes: readonly Write[] }
  | { readonly kind: 'faults'; readonly faults: readonly PoolFault[] };

/** The certificates that frontends name as `$ENVFILE/…` are kept among all others, under names of the pool's own. */
export function poolCertificates(snapshot: Snapshot, pool: Pool, now: number): PoolCertificates {
  const { name, environmentVariables, haproxy } = pool;
  const files = new Set(haproxy.frontends.flatMap(({ certificates }) => certificates.flatMap(variableOf)));
  const read = [...files].flatMap((variable) => {
    const pem = environmentVariables[variable];
    const key = certificateOfVariable(name, variable);
    return pem === undefined
      ? []
      : [{ variable, read: readCertificate({ name: key, certificate: pem }, now) }];
  });
  const faults = read.flatMap(({ variable, read: one }) =>
    one.kind === 'faults' ? one.faults.map(({ errors }) => faultOf(variable, errors)) : [],
  );
  if (faults.length > 0) return { kind: 'faults', faults };
  const puts = read.flatMap(({ read: one }): readonly Write[] =>
    one.kind === 'faults'
      ? []
      : [{ kind: 'put', table: 'certificates', key: one.certificate.name, value: one.certificate }],
  );
  const kept = new Set(puts.map(({ key }) => key));
  return {
    kind: 'writes',
    writes: [...puts, ...removals(snapshot, name).filter(({ key }) => !kept.has(key))],
  };
}

/** Of certificates that a pool brought along. */
export function removals(snapshot: Snapshot, pool: string): readonly Write[] {
  const own = [...snapshot.table('certificates').keys()].filter((key) =>
    key.startsWith(certificateOfVariable(pool, '')),
  );
  return own.map((key) => ({ kind: 'delete', table: 'certificates', key }));
}

/** Certificates that frontends want and nobody keeps. */
export function missingCertificates(snapshot: Snapshot, { listeners }: CompiledPool): readonly PoolNote[] {
  const named = listeners.flatMap(({ id, options }) =>
    (options?.certificates ?? []).map((certificate) => ({ id, certificate })),
  );
  return named
    .filter(({ certificate }) => !snapshot.table('certificates').has(certificate))
    .map(({ id, certificate }) => ({
      path: '/secrets',
      error: `${id} wants the certificate '${certificate}', which is not kept: weir cert add ${certificate} --cert FILE`,
    }));
}

function variableOf(reference: string): readonly string[] {
  const [kind, file = ''] = reference.split('/');
  return kind === '$ENVFILE' ? [file] : [];
}

function faultOf(variable: string, errors: readonly string[]): PoolFault {
  return { path: `/environmentVariables/${variable}`, error: `${variable} ${errors.join(', ')}` };
}
