import { KeyObject, webcrypto } from 'node:crypto';
import type { KeyAndCertificate } from './certificates.ts';

const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
const dayMs = 86_400_000;
const authorityName = 'CN=Weir development authority, O=Weir';

/** @peculiar/x509 and all it brings: loaded with the first certificate that has to be made. */
export async function loadX509() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** A self-signed authority, valid ten years, that can sign leaves only. */
export async function issueAuthority(now: number): Promise<KeyAndCertificate> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: authorityName,
      notBefore: new Date(now - dayMs),
      notAfter: new Date(now + 3_650 * dayMs),
      keys,
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return { key: privatePem(keys.privateKey), cert: `${certificate.toString('pem')}\n` };
}

/** A server certificate for one name, valid 90 days. */
export async function issueLeaf(
  authority: KeyAndCertificate,
  name: string,
  now: number,
): Promise<KeyAndCertificate> {
  const x509 = await loadX509();
  const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=${name.slice(0, 64)}`,
      issuer: new x509.X509Certificate(authority.cert).subject,
      notBefore: new Date(now - dayMs),
      notAfter: new Date(now + 90 * dayMs),
      publicKey: keys.publicKey,
      signingKey: await signingKey(authority.key),
      signingAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      ],
    },
    webcrypto,
  );
  return { key: privatePem(keys.privateKey), cert: `${certificate.toString('pem')}\n` };
}

function serialNumber(): string {
  // The first bit 0 keeps the number positive, the next 1 keeps its length.
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function privatePem(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, curve, false, ['sign']);
}
