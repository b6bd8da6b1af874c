import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorCode, WeirError } from '../../../core/kit/errors.ts';
import type { KeyAndCertificate } from './certificates.ts';
import { issueAuthority, issueLeaf } from './issue.ts';

/** The development authority's files are damaged or cannot be written. */
export class AuthorityUnusable extends WeirError {
  constructor(folder: string, cause: unknown) {
    super('WEIR_AUTHORITY_UNUSABLE', `Cannot use the development authority in ${folder}: ${String(cause)}`, {
      cause,
      next: 'Make the folder writable, or delete it to get a new authority.',
    });
  }
}

const renewBeforeMs = 30 * 86_400_000;
const namePattern = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9])?$/;

/**
 * A certificate authority of one's own for development: `ca.crt` in `folder` is what a browser is told to trust once.
 * Key, authority and leaves are kept as files (readable by the owner alone), so names keep their certificates.
 */
export class DevelopmentAuthority {
  readonly #folder: string;
  readonly #clock: Clock;
  /** One after the other: two requests for one name get one certificate. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(dependencies: { readonly clock: Clock }, options: { readonly folder: string }) {
    this.#clock = dependencies.clock;
    this.#folder = options.folder;
  }

  /** The file to trust; exists after the first certificate. */
  get certificateFile(): string {
    return join(this.#folder, 'ca.crt');
  }

  /** Key and chain for a host name, as PEM; made when there is none yet or it ends within 30 days. */
  certificate(name: string): Promise<KeyAndCertificate> {
    const next = this.#queue.then(() => this.#certificate(name));
    this.#queue = next.catch(() => {});
    return next;
  }

  async #certificate(name: string): Promise<KeyAndCertificate> {
    if (!namePattern.test(name))
      throw new WeirError(
        'WEIR_BAD_SERVER_NAME',
        `Cannot issue a certificate for "${name}": not a host name`,
      );
    try {
      return (await this.#read(name)) ?? (await this.#create(name));
    } catch (error) {
      throw new AuthorityUnusable(this.#folder, error);
    }
  }

  async #create(name: string): Promise<KeyAndCertificate> {
    const authority = (await this.#readPair('ca')) ?? (await this.#createAuthority());
    const leaf = await issueLeaf(authority, name, this.#clock.now());
    const pair = { key: leaf.key, cert: leaf.cert + authority.cert };
    await this.#write(fileOf(name), pair);
    return pair;
  }

  async #createAuthority(): Promise<KeyAndCertificate> {
    const pair = await issueAuthority(this.#clock.now());
    await this.#write('ca', pair);
    return pair;
  }

  /** A kept leaf, unless it ends soon or another authority signed it. */
  async #read(name: string): Promise<KeyAndCertificate | undefined> {
    const [leaf, authority] = await Promise.all([this.#readPair(fileOf(name)), this.#readPair('ca')]);
    if (leaf === undefined || authority === undefined) return undefined;
    const certificate = new X509Certificate(leaf.cert);
    const current = Date.parse(certificate.validTo) - this.#clock.now() > renewBeforeMs;
    return current && certificate.verify(new X509Certificate(authority.cert).publicKey) ? leaf : undefined;
  }

  async #readPair(file: string): Promise<KeyAndCertificate | undefined> {
    try {
      const [key, cert] = await Promise.all(
        [`${file}.key`, `${file}.crt`].map((path) => readFile(join(this.#folder, path), 'utf8')),
      );
      return { key: key!, cert: cert! };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The certificate last: a pair without one counts as missing after a crash in between. */
  async #write(file: string, pair: KeyAndCertificate): Promise<void> {
    await mkdir(join(this.#folder, 'leaf'), { recursive: true, mode: 0o700 });
    await this.#replace(`${file}.key`, pair.key);
    await this.#replace(`${file}.crt`, pair.cert);
  }

  async #replace(file: string, text: string): Promise<void> {
    const path = join(this.#folder, file);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

function fileOf(name: string): string {
  return join('leaf', name.replace('*', '_any'));
}
