import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Made = { readonly key: string; readonly cert: string };

/** Certificates as openssl makes them, in a folder of the test. */
export class CertificateMaker {
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `by`: its issuer; none: signed by itself. `newKey`: as `openssl req -newkey` takes it. */
  make(subject: string, { by, hosts = [], ca = false, days = 90, newKey = 'ec' }: MakeOptions = {}): Made {
    const file = (end: string) => join(this.#folder, `${this.#made}.${end}`);
    this.#made += 1;
    const names = hosts.map((host) => `DNS:${host}`).join(',');
    const kind = newKey === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : [newKey];
    openssl(
      ...['req', '-x509', '-newkey', ...kind, '-nodes', '-keyout', file('key'), '-out', file('crt')],
      ...['-subj', `/CN=${subject}`, '-days', String(days)],
      ...['-addext', `basicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}`],
      ...(names === '' ? [] : ['-addext', `subjectAltName=${names}`]),
      ...(by === undefined
        ? []
        : ['-CA', this.#write('by.crt', by.cert), '-CAkey', this.#write('by.key', by.key)]),
    );
    return { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('crt'), 'utf8') };
  }

  #write(name: string, text: string): string {
    writeFileSync(join(this.#folder, name), text);
    return join(this.#folder, name);
  }
}

type MakeOptions = {
  readonly by?: Made;
  readonly hosts?: readonly string[];
  readonly ca?: boolean;
  readonly days?: number;
  readonly newKey?: string;
};

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
