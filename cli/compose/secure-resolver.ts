import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import type { DnsConsumer } from '../../dns/consumer.ts';
import type { Credentials } from '../../dns/secure/socket.ts';
import type { SecureSettings } from '../../dns/settings.ts';
import type { DevelopmentAuthority } from '../../lb/edge/tls/authority.ts';

/** Certificates are replaced on disk without a word. */
const renewEveryMs = 3_600_000;

type Parts = {
  readonly dns: DnsConsumer;
  readonly authority: DevelopmentAuthority;
  readonly clock: Clock;
  readonly log: Log;
};

/** DNS over TLS and over HTTPS, with the certificate of the files or, without files, the development authority's for `name`. */
export function secureResolver(settings: SecureSettings, name: string, parts: Parts): Part {
  const { dns, authority, clock, log } = parts;
  const { certificateFile, keyFile, ...listen } = settings;
  const stopped = new AbortController();
  const credentials = async (): Promise<Credentials> => {
    if (certificateFile === undefined || keyFile === undefined) return authority.certificate(name);
    return { cert: await readFile(certificateFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  };
  const renew = async () => {
    while (!stopped.signal.aborted) {
      await clock.sleep(renewEveryMs, stopped.signal);
      await dns
        .secure({ ...listen, credentials: await credentials() })
        .catch((error: unknown) => log.warn('dns: the certificate is kept', { error: errorText(error) }));
    }
  };
  return {
    async start() {
      await dns.secure({ ...listen, credentials: await credentials() });
      renew().catch(() => {});
    },
    async stop() {
      stopped.abort();
    },
  };
}
