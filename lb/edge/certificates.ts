import type { SecureContext } from 'node:tls';
import type { Certificate } from '../../core/model/certificate.ts';
import type { Challenge } from '../../core/model/issuance.ts';
import { challengeCertificates, type Proof } from './challenge-answers.ts';
import { GivenCertificates, wildcardOf } from './given-certificates.ts';
import type { CertificateSource } from './listener.ts';
import { contextOptions } from './tls-policy.ts';

export type KeyAndCertificate = { readonly key: string; readonly cert: string };

/** What is asked of the routes; host names in lower case. */
export type ServedHosts = {
  readonly isServed: (host: string) => boolean;
  /** A route of this host wants to know its clients' certificates. */
  readonly asksClients: (host: string) => boolean;
};

const fallbackName = 'localhost';
const maxContexts = 1_000;

/**
 * Which certificate a client gets: one that operators gave for the host; for a host that is served and has none, one made by
 * someone else on demand; else the given default. Other names get the fallback, so that strangers cannot make us issue
 * certificates without end. Contexts are made once for each certificate; one that is replaced serves its open connections on.
 */
export class CertificateCache implements CertificateSource {
  readonly #issue: (name: string) => Promise<KeyAndCertificate>;
  readonly #hosts: ServedHosts;
  readonly #issued = new Map<string, Promise<SecureContext>>();
  readonly #contexts = new WeakMap<Certificate, Promise<SecureContext>>();
  #certificates: ReadonlyMap<string, Certificate> = new Map();
  #given = new GivenCertificates(new Map());
  #challenges: ReadonlyMap<string, Challenge> = new Map();
  #proofs: ReadonlyMap<string, Proof> = new Map();
  #ticketKey: Buffer | undefined;
  #onChange: () => void = () => {};

  constructor(issue: (name: string) => Promise<KeyAndCertificate>, hosts: ServedHosts) {
    this.#issue = issue;
    this.#hosts = hosts;
  }

  asksClients(name: string): boolean {
    return this.#hosts.asksClients(name.toLowerCase());
  }

  covers(name: string, host: string): boolean {
    if (this.#hosts.asksClients(host) && !this.#hosts.asksClients(name)) return false;
    const given = this.#given.find(name) ?? this.#given.fallback;
    if (given !== undefined)
      return given.hosts.some((pattern) => pattern === host || pattern === wildcardOf(host));
    return host === (this.#hosts.isServed(name) ? name : fallbackName);
  }

  /** From now on these are the ones that operators gave. */
  give(certificates: ReadonlyMap<string, Certificate>): void {
    if (certificates === this.#certificates) return;
    const { fallback } = this.#given;
    this.#certificates = certificates;
    this.#given = new GivenCertificates(certificates);
    if (this.#given.fallback !== fallback) this.#onChange();
  }

  /** From now on authorities are proved this. */
  prove(challenges: ReadonlyMap<string, Challenge>): void {
    if (challenges === this.#challenges) return;
    this.#challenges = challenges;
    this.#proofs = challengeCertificates(challenges);
  }

  get proves(): boolean {
    return this.#proofs.size > 0;
  }

  proofFor(name: string): Proof | undefined {
    return this.#proofs.get(name);
  }

  onChange(listener: () => void): void {
    const others = this.#onChange;
    this.#onChange = () => {
      others();
      listener();
    };
  }

  get ticketKey(): Buffer | undefined {
    return this.#ticketKey;
  }

  useTicketKey(key: Buffer): void {
    this.#ticketKey = key;
    this.#onChange();
  }

  async fallback(): Promise<KeyAndCertificate> {
    const given = this.#given.fallback;
    return given === undefined ? this.#issue(fallbackName) : pairOf(given);
  }

  forName(name: string): Promise<SecureContext> {
    const lower = name.toLowerCase();
    const given = this.#given.find(lower) ?? this.#given.fallback;
    if (given !== undefined) return this.#contextOf(given);
    return this.#issuedContext(this.#hosts.isServed(lower) ? lower : fallbackName);
  }

  #contextOf(certificate: Certificate): Promise<SecureContext> {
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const context = create(pairOf(certificate));
    this.#contexts.set(certificate, context);
    return context;
  }

  #issuedContext(name: string): Promise<SecureContext> {
    const known = this.#issued.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#issued.keys();
    if (this.#issued.size >= maxContexts && oldest !== undefined) this.#issued.delete(oldest);
    const context = this.#issue(name).then(create);
    this.#issued.set(name, context);
    context.catch(() => this.#issued.delete(name));
    return context;
  }
}

/** node:tls is loaded when the first client wants it: an edge without TLS traffic stays small. */
async function create({ key, cert }: KeyAndCertificate): Promise<SecureContext> {
  const { createSecureContext } = await import('node:tls');
  return createSecureContext({ key, cert, ...contextOptions });
}

function pairOf({ key, chain }: Certificate): KeyAndCertificate {
  return { key, cert: chain };
}
