import { join } from 'node:path';
import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import { EdgeConsumer } from '../lb/edge/consumer.ts';
import { KernelPorts } from '../lb/edge/l4/kernel-ports.ts';
import { DevelopmentAuthority } from '../lb/edge/tls/authority.ts';
import { NftablesPorts } from '../lb/vip/backends/nftables/ports/nftables-ports.ts';
import type { AgentSettings } from './agent-settings.ts';

/** All that an edge is made of: plain values, for a process of its own. */
export type EdgeComposition = {
  readonly dataDir: string;
  readonly agentId: string;
  /** The kernel carries what it can. */
  readonly kernel: boolean;
  readonly edge: NonNullable<AgentSettings['edge']>;
};

/** The public edge with the choices of its settings. */
export function composeEdge(
  { dataDir, agentId, kernel, edge }: EdgeComposition,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): EdgeConsumer {
  const { http, https, accessLog, minTls = '1.2', engine = 'builtin', acceptProxy = [] } = edge;
  const authority = new DevelopmentAuthority({ clock }, { folder: join(dataDir, 'authority') });
  const certificate = (name: string) => authority.certificate(name);
  const mapper = kernel ? new NftablesPorts({ log, clock }) : undefined;
  const ports = mapper && new KernelPorts({ mapper, log, clock, agentId });
  return new EdgeConsumer(
    { clock, log, certificate, ...(ports && { kernel: ports }) },
    {
      address: http.address,
      httpPort: http.port,
      httpsPort: https?.port,
      accessLog,
      minTls,
      engine,
      acceptProxy,
    },
  );
}
