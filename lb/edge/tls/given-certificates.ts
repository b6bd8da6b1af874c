import type { Certificate } from '../../../core/model/certificate.ts';

type Certificates = ReadonlyMap<string, Certificate>;

/** Which of the certificates that operators gave is for a host: exact before wildcard; of several the one that lasts longest. */
export class GivenCertificates {
  readonly fallback: Certificate | undefined;
  readonly #byHost = new Map<string, Certificate>();

  constructor(certificates: Certificates) {
    const all = [...certificates.values()].sort(
      (a, b) => a.notAfter - b.notAfter || (a.name < b.name ? 1 : -1),
    );
    for (const certificate of all) for (const host of certificate.hosts) this.#byHost.set(host, certificate);
    this.fallback = all.findLast((certificate) => certificate.default);
  }

  /** `host` in lower case. A wildcard covers one label (RFC 9525 §6.3). */
  find(host: string): Certificate | undefined {
    return this.#byHost.get(host) ?? this.#byHost.get(wildcardOf(host));
  }
}

/** Covers this host and those beside it. */
export function wildcardOf(host: string): string {
  return `*${host.slice(host.indexOf('.'))}`;
}
