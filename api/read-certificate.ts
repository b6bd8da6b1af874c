import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Certificate } from '../core/model/certificate.ts';
import type { Detail } from './problem.ts';

export type ReadCertificate =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'faults'; readonly faults: readonly Detail[] };

type Fault = (path: string, error: string) => undefined;

const namePattern = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;
const hostPattern =
  /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const pemPattern = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
const leastRsaBits = 2_048;
const fields = ['name', 'certificate', 'key', 'default'];

/** `{name, certificate, key?, default?}` as sent; all faults together. The key may stand in the same PEM as the certificates. */
export function readCertificate(body: Readonly<Record<string, unknown>>, now: number): ReadCertificate {
  const faults: Detail[] = [];
  const fault: Fault = (path, error) => {
    faults.push({ path, errors: [error] });
  };
  for (const field of Object.keys(body)) if (!fields.includes(field)) fault(`/${field}`, 'is not known');
  const name = readName(body['name'], fault);
  if (body['default'] !== undefined && typeof body['default'] !== 'boolean')
    fault('/default', 'must be true or false');
  const chain = readChain(body['certificate'], fault);
  const key = readKey(body['key'] ?? body['certificate'], fault);
  const hosts = chain === undefined ? [] : checkChain(chain, { key, now }, fault);
  if (name === undefined || chain === undefined || key === undefined || faults.length > 0)
    return { kind: 'faults', faults };
  const [leaf] = chain;
  const certificate: Certificate = {
    name,
    chain: chain.map(String).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    hosts,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    ...(body['default'] === true ? { default: true } : {}),
  };
  return { kind: 'certificate', certificate };
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

function readName(value: unknown, fault: Fault): string | undefined {
  if (typeof value === 'string' && namePattern.test(value)) return value;
  return fault(
    '/name',
    'must be 1 to 63 of a-z, 0-9, dot, dash and underscore, beginning and ending with a-z or 0-9',
  );
}

function readChain(value: unknown, fault: Fault): Chain | undefined {
  const blocks = pemBlocks(value).filter(({ label }) => label === 'CERTIFICATE');
  if (blocks.length === 0)
    return fault(
      '/certificate',
      'must be PEM: one or more "BEGIN CERTIFICATE" blocks, the server\'s own first',
    );
  const all = blocks.map(({ text }, n) => {
    try {
      return new X509Certificate(text);
    } catch {
      return fault(`/certificate/${n}`, 'is no readable X.509 certificate');
    }
  });
  const [first, ...rest] = all.filter((one) => one !== undefined);
  return first === undefined || rest.length + 1 < all.length ? undefined : [first, ...rest];
}

function readKey(value: unknown, fault: Fault): KeyObject | undefined {
  const keys = pemBlocks(value).filter(({ label }) => label.endsWith('PRIVATE KEY'));
  const [block] = keys;
  if (block === undefined) return fault('/key', 'must be PEM: one "BEGIN PRIVATE KEY" block');
  if (keys.length > 1) return fault('/key', `must be one private key, found ${keys.length}`);
  if (block.label.startsWith('ENCRYPTED') || block.text.includes('ENCRYPTED'))
    return fault('/key', 'is encrypted: decrypt it first (openssl pkey -in FILE)');
  try {
    return createPrivateKey(block.text);
  } catch {
    return fault('/key', 'is no readable private key');
  }
}

/** Gives the hosts that the certificate is for. */
function checkChain(
  chain: Chain,
  { key, now }: { readonly key: KeyObject | undefined; readonly now: number },
  fault: Fault,
): readonly string[] {
  const [leaf] = chain;
  if (key !== undefined && !leaf.checkPrivateKey(key)) fault('/key', otherKey(chain, key));
  checkKeyStrength(leaf, fault);
  chain.forEach((certificate, n) => {
    checkTimes(certificate, { path: `/certificate/${n}`, now }, fault);
    const issuer = chain[n + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer))
      fault(
        `/certificate/${n + 1}`,
        `is ${named(issuer.subject)}, but the one before it was issued by ${named(certificate.issuer)}: put that one there, or leave it out`,
      );
  });
  return readHosts(leaf, fault);
}

function otherKey(chain: Chain, key: KeyObject): string {
  const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (owner > 0) return `belongs to certificate ${owner} of the chain: put that one first`;
  return `does not belong to the first certificate, ${named(chain[0].subject)}`;
}

function checkKeyStrength({ publicKey }: X509Certificate, fault: Fault): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0 } = {} } = publicKey;
  if (type !== 'rsa' && type !== 'ec' && type !== 'ed25519')
    fault('/certificate/0', `has a key of type ${type}: expected RSA, EC or Ed25519`);
  if (type === 'rsa' && modulusLength < leastRsaBits)
    fault('/certificate/0', `has an RSA key of ${modulusLength} bits: expected ${leastRsaBits} or more`);
}

function checkTimes(
  certificate: X509Certificate,
  { path, now }: { readonly path: string; readonly now: number },
  fault: Fault,
): void {
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) <= now) fault(path, `expired on ${day(validTo)}`);
  if (Date.parse(validFrom) > now) fault(path, `is not valid before ${new Date(validFrom).toISOString()}`);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Only alternative names count; no client of today reads the common name. */
function readHosts({ subjectAltName = '' }: X509Certificate, fault: Fault): readonly string[] {
  const names = subjectAltName.split(', ').flatMap((entry) => {
    const [kind, text = ''] = entry.split(/:(.*)/s);
    return kind === 'DNS' || kind === 'IP Address' ? [text.toLowerCase()] : [];
  });
  const hosts = [...new Set(names)].filter((name) => hostPattern.test(name) || name.includes(':'));
  if (hosts.length === 0)
    fault('/certificate/0', 'names no host: expected DNS names among its subject alternative names');
  return hosts;
}

function pemBlocks(value: unknown): readonly { readonly label: string; readonly text: string }[] {
  if (typeof value !== 'string') return [];
  return [...value.matchAll(pemPattern)].map(([text, label = '']) => ({ label, text }));
}

function named(distinguished: string | undefined): string {
  return `"${(distinguished ?? '').split('\n').join(', ')}"`;
}

function day(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}
