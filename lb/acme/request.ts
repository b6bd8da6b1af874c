import { createHash, KeyObject, webcrypto } from 'node:crypto';
import { loadX509 } from '../edge/tls/issue.ts';

const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
/** id-pe-acmeIdentifier, RFC 8737 §6.1. */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const hourMs = 3_600_000;

/** DER of a certificate signing request (PKCS #10) for these hosts; `key`: PEM of a P-256 key. */
export async function signingRequest(key: string, hosts: readonly string[]): Promise<Buffer> {
  const x509 = await loadX509();
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      keys: await pairOf(key),
      signingAlgorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }) as const)),
      ],
    },
    webcrypto,
  );
  return Buffer.from(request.rawData);
}

/** What is shown to an authority that asks for `host` by acme-tls/1 (RFC 8737 §3), PEM. */
export async function proofCertificate(
  { host, authorization }: { readonly host: string; readonly authorization: string },
  now: number,
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const digest = createHash('sha256').update(authorization).digest();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: 'CN=ACME challenge',
      notBefore: new Date(now - hourMs),
      notAfter: new Date(now + 24 * hourMs),
      keys,
      signingAlgorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }]),
        // An OCTET STRING of 32 bytes.
        new x509.Extension(acmeIdentifier, true, Buffer.concat([Buffer.from([4, 32]), digest])),
      ],
    },
    webcrypto,
  );
  const privateKey = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate: certificate.toString('pem'), privateKey };
}

/** What an authority knows a certificate by when it is asked about renewals (RFC 9773 §4.1); undefined: it has no such name. */
export async function certificateId(pem: string): Promise<string | undefined> {
  const x509 = await loadX509();
  const certificate = new x509.X509Certificate(pem);
  const keyId = certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) return undefined;
  // As DER has it: a first bit of 1 would make it negative.
  const serial = /^[89a-f]/i.test(certificate.serialNumber)
    ? `00${certificate.serialNumber}`
    : certificate.serialNumber;
  return [keyId, serial].map((hex) => Buffer.from(hex, 'hex').toString('base64url')).join('.');
}

async function pairOf(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, curve, true, ['sign']);
  const { crv, kty, x, y } = await webcrypto.subtle.exportKey('jwk', privateKey);
  const open = { ...{ crv: crv!, kty: kty!, x: x!, y: y! } };
  const publicKey = await webcrypto.subtle.importKey('jwk', open, curve, true, ['verify']);
  return { privateKey, publicKey };
}
