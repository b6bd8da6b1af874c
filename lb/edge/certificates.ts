import type { SecureContext } from 'node:tls';
import type { CertificateSource } from './listener.ts';

export type KeyAndCertificate = { readonly key: string; readonly cert: string };

const fallbackName = 'localhost';
const maxContexts = 1_000;

/**
 * Certificates made by someone else on demand and kept ready for use. Names outside `isServed` get the fallback, so
 * that strangers cannot make us issue certificates without end.
 */
export class CertificateCache implements CertificateSource {
  readonly #issue: (name: string) => Promise<KeyAndCertificate>;
  readonly #isServed: (name: string) => boolean;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  constructor(issue: (name: string) => Promise<KeyAndCertificate>, isServed: (name: string) => boolean) {
    this.#issue = issue;
    this.#isServed = isServed;
  }

  fallback(): Promise<KeyAndCertificate> {
    return this.#issue(fallbackName);
  }

  forName(name: string): Promise<SecureContext> {
    const lower = name.toLowerCase();
    return this.#context(this.#isServed(lower) ? lower : fallbackName);
  }

  #context(name: string): Promise<SecureContext> {
    const known = this.#contexts.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size >= maxContexts && oldest !== undefined) this.#contexts.delete(oldest);
    const context = this.#create(name);
    this.#contexts.set(name, context);
    context.catch(() => this.#contexts.delete(name));
    return context;
  }

  /** node:tls is loaded when the first client wants it: an edge without TLS traffic stays small. */
  async #create(name: string): Promise<SecureContext> {
    const [{ createSecureContext }, pair] = await Promise.all([import('node:tls'), this.#issue(name)]);
    return createSecureContext({ key: pair.key, cert: pair.cert, minVersion: 'TLSv1.2' });
  }
}
