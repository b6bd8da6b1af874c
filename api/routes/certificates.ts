import { X509Certificate } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import { type Certificate, expiryWarningMs } from '../../core/model/certificate.ts';
import type { Write } from '../../core/state/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { inForce } from '../in-force.ts';
import { issuanceView } from '../issuance-view.ts';
import { NotFound, Problem } from '../problem.ts';
import { readCertificate } from '../read-certificate.ts';

type Named = { Params: { name: string }; Body: unknown };

const dayMs = 86_400_000;

/** Certificates of the edges (`weir cert`). Keys go in and never come out. */
export function certificateRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { database, clock } = dependencies;
  const stored = (name: string) => database.snapshot.table('certificates').get(name);
  const shown = (certificate: Certificate) => {
    const issuance = issuanceView(database.snapshot, certificate.name);
    return { ...certificateView(certificate, clock.now()), ...(issuance && { issuance }) };
  };
  const refuseIssued = (name: string) => {
    if (database.snapshot.table('issuances').has(name))
      throw new Problem(409, {
        message: `Certificate '${name}' is renewed by an authority: remove it first`,
      });
  };

  server.get('/v1/certificates', async () => ({
    ...inForce(dependencies),
    certificates: [...database.snapshot.table('certificates').values()].map(shown),
    pending: [...database.snapshot.table('issuances').keys()]
      .filter((name) => stored(name) === undefined)
      .map((name) => issuanceView(database.snapshot, name)),
  }));

  server.get<Named>('/v1/certificates/:name', async ({ params: { name } }) => {
    const issuance = issuanceView(database.snapshot, name);
    const certificate = stored(name);
    if (certificate === undefined && issuance !== undefined)
      return { ...inForce(dependencies), name, hosts: issuance.hosts, default: false, issuance };
    if (certificate === undefined) return unknown(name);
    return { ...inForce(dependencies), ...shown(certificate), chain: certificate.chain };
  });

  server.post<{ Body: unknown }>('/v1/certificates', async (request, reply) => {
    const certificate = parse(request.body, clock.now());
    const known = stored(certificate.name);
    refuseIssued(certificate.name);
    if (known !== undefined && !isSame(known, certificate))
      throw new Problem(409, {
        message: `Certificate '${known.name}' exists: replace it with PUT, or give the new one a name of its own`,
      });
    await database.commit(writesOf(dependencies, certificate));
    return reply.code(201).send(shown(certificate));
  });

  server.put<Named>('/v1/certificates/:name', async (request, reply) => {
    const { name } = request.params;
    const certificate = parse({ ...asObject(request.body), name }, clock.now());
    refuseIssued(name);
    const status = stored(name) === undefined ? 201 : 200;
    await database.commit(writesOf(dependencies, certificate));
    return reply.code(status).send(shown(certificate));
  });

  server.delete<Named>('/v1/certificates/:name', async ({ params: { name } }, reply) => {
    const isIssued = database.snapshot.table('issuances').has(name);
    if (stored(name) === undefined && !isIssued) unknown(name);
    await database.commit([
      { kind: 'delete', table: 'certificates', key: name },
      ...(isIssued ? [{ kind: 'delete', table: 'issuances', key: name } as const] : []),
    ]);
    return reply.code(204).send();
  });
}

/** Whoever was the default before is not any more. */
function writesOf({ database }: ApiDependencies, certificate: Certificate): readonly Write[] {
  const others = [...database.snapshot.table('certificates').values()].filter(
    ({ name, default: isDefault }) => certificate.default && isDefault && name !== certificate.name,
  );
  return [...others.map(({ default: _, ...rest }) => rest), certificate].map((value) => ({
    ...({ kind: 'put', table: 'certificates' } as const),
    key: value.name,
    value,
  }));
}

function certificateView(certificate: Certificate, now: number) {
  const { name, chain, hosts, notBefore, notAfter } = certificate;
  const leaf = new X509Certificate(chain);
  const { asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve } = {} } = leaf.publicKey;
  const warning = warningOf(certificate, now);
  return {
    name,
    hosts,
    default: certificate.default === true,
    subject: leaf.subject,
    issuer: leaf.issuer,
    serialNumber: leaf.serialNumber,
    fingerprint256: leaf.fingerprint256,
    keyType: [asymmetricKeyType, modulusLength ?? namedCurve].filter(Boolean).join(' '),
    notBefore: timestamp(notBefore),
    notAfter: timestamp(notAfter),
    daysLeft: Math.floor((notAfter - now) / dayMs),
    ...(warning === undefined ? {} : { warning }),
  };
}

function warningOf({ notAfter }: Certificate, now: number): string | undefined {
  if (notAfter <= now) return `expired on ${timestamp(notAfter)}`;
  if (notAfter - now < expiryWarningMs) return `expires on ${timestamp(notAfter)}`;
  return undefined;
}

function parse(body: unknown, now: number): Certificate {
  const read = readCertificate(asObject(body), now);
  if (read.kind === 'certificate') return read.certificate;
  throw new Problem(422, { message: 'Object is not valid', details: read.faults });
}

function asObject(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw new Problem(400, { message: 'Please specify data in JSON format' });
}

function isSame(a: Certificate, b: Certificate): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unknown(name: string): never {
  throw new NotFound(`Certificate '${name}' does not exist`);
}
