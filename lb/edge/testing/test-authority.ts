import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyAndCertificate } from '../tls/certificates.ts';

/** An authority as openssl makes it, with its files in a folder of the test. */
export class TestAuthority {
  readonly #path: string;
  #issued = 0;

  /** `above`: who has signed it; itself, where nobody is named. */
  constructor(folder: string, name: string, above?: TestAuthority) {
    this.#path = join(folder, name);
    this.#make('ca', name, [
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      ...(above === undefined ? [] : above.#signs()),
    ]);
  }

  get certificate(): string {
    return readFileSync(`${this.#path}-ca.crt`, 'utf8');
  }

  issue(subject: string, use: 'clientAuth' | 'serverAuth'): KeyAndCertificate {
    this.#issued += 1;
    const file = String(this.#issued);
    return this.#make(file, subject, [
      ...[
        '-addext',
        `extendedKeyUsage=${use}`,
        '-addext',
        'basicConstraints=critical,CA:FALSE',
        ...this.#signs(),
      ],
    ]);
  }

  #signs(): readonly string[] {
    return ['-CA', `${this.#path}-ca.crt`, '-CAkey', `${this.#path}-ca.key`];
  }

  #make(file: string, subject: string, options: readonly string[]): KeyAndCertificate {
    const [key, cert] = [`${this.#path}-${file}.key`, `${this.#path}-${file}.crt`];
    writeFileSync(key, '', { mode: 0o600 });
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
    execFileSync(
      'openssl',
      ['req', '-x509', ...newKey, '-out', cert, '-subj', `/CN=${subject}`, '-days', '30', ...options],
      { stdio: 'pipe' },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  }
}
