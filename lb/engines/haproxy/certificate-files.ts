import { createHash } from 'node:crypto';
import type { Certificate } from '../../../core/model/certificate.ts';
import type { KeyAndCertificate } from '../../edge/tls/certificates.ts';
import { GivenCertificates } from '../../edge/tls/given-certificates.ts';
import type { ShapeFile } from './sections.ts';

/** A file with a key and its certificates, and the names of servers it is for. */
export type CertificateFile = {
  readonly name: string;
  readonly pem: string;
  readonly hosts: readonly string[];
  /** Clients who say one of these names are asked for a certificate that somebody in this file has signed. */
  readonly authorities?: ShapeFile;
};

export type Certified = {
  readonly given: ReadonlyMap<string, Certificate>;
  /** Hosts of routes, lower case. */
  readonly hosts: readonly string[];
  /** What was made for hosts without a given one, and for `localhost`. */
  readonly issued: ReadonlyMap<string, KeyAndCertificate>;
};

/** Whoever names no host, or one without a certificate, gets this one's. */
export const fallbackName = 'localhost';

/** Those of a door that chooses from the given ones of these names only; undefined: none of them is there. */
export function chosenFiles(
  given: Certified['given'],
  names: readonly string[],
): readonly CertificateFile[] | undefined {
  const all = names.flatMap((name) => given.get(name) ?? []);
  if (all.length === 0) return undefined;
  const marked = all.map(
    ({ default: _, ...rest }, n): Certificate => (n === 0 ? { ...rest, default: true } : rest),
  );
  return certificateFiles({
    given: new Map(marked.map((one) => [one.name, one])),
    hosts: [],
    issued: new Map(),
  });
}

/** The first is for clients that name no host we have one for. */
export function certificateFiles({ given, hosts, issued }: Certified): readonly CertificateFile[] {
  const chosen = new GivenCertificates(given);
  const usual = chosen.fallback === undefined ? issued.get(fallbackName) : undefined;
  const first =
    chosen.fallback !== undefined
      ? [givenFile(chosen.fallback, chosen)]
      : usual === undefined
        ? []
        : [issuedFile(fallbackName, usual)];
  const others = [...given.values()]
    .filter((certificate) => certificate !== chosen.fallback)
    .map((certificate) => givenFile(certificate, chosen))
    .filter((file) => file.hosts.length > 0);
  const made = wantedNames({ given, hosts }).flatMap((host) => {
    const pair = issued.get(host);
    return pair === undefined || host === fallbackName ? [] : [issuedFile(host, pair)];
  });
  return [...first, ...others, ...made];
}

/** Hosts for which one must be made. */
export function wantedNames({ given, hosts }: Omit<Certified, 'issued'>): readonly string[] {
  const chosen = new GivenCertificates(given);
  if (chosen.fallback !== undefined) return [];
  return [
    fallbackName,
    ...hosts.filter((host) => host !== '*' && host !== fallbackName && chosen.find(host) === undefined),
  ];
}

export function listText(files: readonly CertificateFile[]): string {
  return files.map((file) => `${listLine(file)}\n`).join('');
}

export function listLine({ name, hosts, authorities }: CertificateFile): string {
  const asked = authorities === undefined ? [] : [`[verify optional ca-file ${authorities.name}]`];
  return [name, ...asked, ...hosts].join(' ');
}

function givenFile(certificate: Certificate, chosen: GivenCertificates): CertificateFile {
  const hosts = certificate.hosts.filter((host) => chosen.find(host) === certificate);
  return {
    name: `${fileName(`given ${certificate.name}`)}`,
    pem: pemOf(certificate.key, certificate.chain),
    hosts,
  };
}

function issuedFile(host: string, { key, cert }: KeyAndCertificate): CertificateFile {
  return { name: fileName(`issued ${host}`), pem: pemOf(key, cert), hosts: [host] };
}

function fileName(of: string): string {
  return `c${createHash('sha1').update(of).digest('hex').slice(0, 16)}.pem`;
}

/** Without empty lines: they end a payload on the runtime API. */
function pemOf(key: string, chain: string): string {
  return `${chain}\n${key}\n`.replace(/\r/g, '').replace(/\n{2,}/g, '\n');
}
