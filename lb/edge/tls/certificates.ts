import type { SecureContext } from 'node:tls';
import type { Certificate } from '../../../core/model/certificate.ts';
import type { Challenge } from '../../../core/model/issuance.ts';
import type { CertificateSource, CertificateUse } from '../listeners/listener.ts';
import { challengeCertificates, type Proof } from './challenge-answers.ts';
import { GivenCertificates, wildcardOf } from './given-certificates.ts';
import { contextOptions } from './tls-policy.ts';

export type KeyAndCertificate = { readonly key: string; readonly cert: string };

/** What is asked of the routes; host names in lower case. */
export type ServedHosts = {
  readonly isServed: (host: string, scope?: string) => boolean;
  /** A route of this host wants to know its clients' certificates. */
  readonly asksClients: (host: string, scope?: string) => boolean;
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
  /** By the list of names. */
  readonly #chosen = new WeakMap<
    readonly string[],
    { readonly of: ReadonlyMap<string, Certificate>; readonly given: GivenCertificates | undefined }
  >();
  #challenges: ReadonlyMap<string, Challenge> = new Map();
  #proofs: ReadonlyMap<string, Proof> = new Map();
  #ticketKey: Buffer | undefined;
  #onChange: () => void = () => {};

  constructor(issue: (name: string) => Promise<KeyAndCertificate>, hosts: ServedHosts) {
    this.#issue = issue;
    this.#hosts = hosts;
  }

  asksClients(name: string, use?: CertificateUse): boolean {
    return this.#hosts.asksClients(name.toLowerCase(), use?.scope);
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
    this.#certificates = certificates;
    this.#given = new GivenCertificates(certificates);
    this.#onChange();
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

  async fallback(use?: CertificateUse): Promise<KeyAndCertificate> {
    const given = (this.#own(use) ?? this.#given).fallback;
    return given === undefined ? this.#issue(fallbackName) : pairOf(given);
  }

  forName(name: string, use?: CertificateUse): Promise<SecureContext> {
    const lower = name.toLowerCase();
    const among = this.#own(use) ?? this.#given;
    const given = among.find(lower) ?? among.fallback;
    if (given !== undefined) return this.#contextOf(given);
    return this.#issuedContext(this.#hosts.isServed(lower, use?.scope) ? lower : fallbackName);
  }

  /** Those that a listener chooses from; undefined: it names none that is there. */
  #own(use: CertificateUse | undefined): GivenCertificates | undefined {
    const names = use?.names;
    if (names === undefined) return undefined;
    const known = this.#chosen.get(names);
    if (known?.of === this.#certificates) return known.given;
    const all = names.flatMap((name) => this.#certificates.get(name) ?? []);
    const marked = all.map(({ default: _, ...rest }, n) => ({
      ...rest,
      ...(n === 0 && { default: true as const }),
    }));
    const given =
      all.length === 0 ? undefined : new GivenCertificates(new Map(marked.map((one) => [one.name, one])));
    this.#chosen.set(names, { of: this.#certificates, given });
    return given;
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
