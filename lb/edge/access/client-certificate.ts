import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { CertificateFields, ClientCertificate } from '../../../core/model/route.ts';
import type { FieldChanges } from '../routes/field-changes.ts';

const defaultField = 'X-Client-Subject';
const clientUse = '1.3.6.1.5.5.7.3.2';
const pemPattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Judges the certificates of a route's clients. TLS has proved that the client has the key; who signed it is looked at here, so that
 * a session resumed from another host is worth no more there than its certificate is.
 */
export class ClientAuthorities {
  readonly required: boolean;
  readonly #authorities: readonly X509Certificate[];
  /** What is told by which name. */
  readonly #told: readonly (readonly [keyof typeof texts, string])[];
  readonly #withoutField: FieldChanges;
  /** A signature is looked at once for each connection. */
  readonly #signed = new WeakMap<X509Certificate, boolean>();

  constructor({ authorities, optional, field = defaultField, fields = {} }: ClientCertificate) {
    this.required = optional !== true;
    this.#authorities = (authorities.match(pemPattern) ?? []).map((pem) => new X509Certificate(pem));
    const others = tellable.flatMap((what) =>
      fields[what] === undefined ? [] : [[what, fields[what]] as const],
    );
    this.#told = [['subject', field], ...others];
    const names = this.#told.map(([, name]) => name.toLowerCase());
    // Servers that make variables of fields take the one for the other.
    this.#withoutField = {
      drop: new Set(names.flatMap((name) => [name, name.replaceAll('-', '_')])),
      lines: '',
    };
  }

  accepts(shown: X509Certificate, now: number): boolean {
    const signed = this.#signed.get(shown) ?? this.#isSigned(shown, now);
    this.#signed.set(shown, signed);
    return signed && isCurrent(shown, now);
  }

  /** What the service gets: what is told of an accepted certificate, and never what the client says of it by itself. */
  changes(accepted: X509Certificate | undefined): FieldChanges {
    if (accepted === undefined) return this.#withoutField;
    const lines = this.#told.map(([what, name]) => `${name}: ${texts[what](accepted)}\r\n`);
    return { ...this.#withoutField, lines: lines.join('') };
  }

  #isSigned(shown: X509Certificate, now: number): boolean {
    // Without extended key usage a certificate may be used for anything (RFC 5280 §4.2.1.12).
    const uses: readonly string[] = shown.keyUsage ?? [clientUse];
    if (shown.ca || !uses.includes(clientUse)) return false;
    return this.#authorities.some(
      (authority) =>
        authority.ca &&
        isCurrent(authority, now) &&
        shown.checkIssued(authority) &&
        shown.verify(authority.publicKey),
    );
  }
}

/** Gives what the client of this connection has shown; undefined: nothing, or it was not asked. TLS makes a new value each time. */
export function shownBy(socket: Socket): () => X509Certificate | undefined {
  let shown: X509Certificate | undefined;
  return () => {
    shown ??= shownCertificate(socket);
    return shown;
  };
}

function shownCertificate(socket: Socket): X509Certificate | undefined {
  if (!('getPeerX509Certificate' in socket) || typeof socket.getPeerX509Certificate !== 'function')
    return undefined;
  const shown: unknown = socket.getPeerX509Certificate();
  return shown instanceof X509Certificate ? shown : undefined;
}

/** Makes the server ask the client of this connection; to be called while its hello is looked at. Not in the public types. */
export function askForCertificate(socket: unknown): void {
  if (typeof socket !== 'object' || socket === null) return;
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const setVerifyMode: unknown = Reflect.get(handle, 'setVerifyMode');
  if (typeof setVerifyMode === 'function') setVerifyMode.call(handle, true, false);
}

function isCurrent({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now && now < Date.parse(validTo);
}

/** As RFC 4514 writes it, the most special part first (OpenSSL escapes control characters); one character per byte, as wires take it. */
function nameText(name: string | undefined): string {
  return Buffer.from((name ?? '').split('\n').reverse().join(',')).toString('latin1');
}

const tellable: readonly (keyof CertificateFields)[] = ['issuer', 'serial', 'fingerprint', 'certificate'];

const texts = {
  subject: ({ subject }: X509Certificate) => nameText(subject),
  issuer: ({ issuer }: X509Certificate) => nameText(issuer),
  serial: ({ serialNumber }: X509Certificate) => serialNumber,
  fingerprint: ({ fingerprint256 }: X509Certificate) => fingerprint256.replaceAll(':', ''),
  certificate: ({ raw }: X509Certificate) => raw.toString('base64'),
};
