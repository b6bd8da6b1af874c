import type { Log } from '../../core/kit/log.ts';
import type { Metrics } from '../../core/kit/metrics.ts';
import type { Part } from '../../core/kit/part.ts';
import type { DnsConsumer } from '../../dns/consumer.ts';
import { dcosMetrics } from '../../dns/dcos-metrics.ts';
import { DnsHttpServer } from '../../dns/http-server.ts';
import type { Address } from './agent-settings.ts';
import { whereFree } from './where-free.ts';

type Parts = { readonly dns: DnsConsumer; readonly metrics: Metrics; readonly log: Log };

/**
 * DC/OS's DNS HTTP API. Its port is the same on every machine of DC/OS, so it may be that of another Weir here, or of DC/OS
 * itself: then this one does without.
 */
export function dcosHttp(at: Address, { dns, metrics, log }: Parts): Part {
  const texts = { process: () => metrics.text(), dns: () => dns.metrics() };
  const server = new DnsHttpServer(
    async (path, from) => (await dcosMetrics(path, texts)) ?? dns.dcos(path, from),
    at,
  );
  return whereFree(
    server,
    'the DC/OS DNS HTTP API is not served; choose another address with --dcos-http',
    log,
  );
}
