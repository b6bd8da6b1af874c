import { join } from 'node:path';
import type { Clock } from '../../core/kit/clock.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import { EdgeConsumer } from '../../lb/edge/consumer.ts';
import { HeldEdge } from '../../lb/edge/held/held-edge.ts';
import { KernelPorts } from '../../lb/edge/l4/kernel-ports.ts';
import type { PortMapper } from '../../lb/edge/l4/port-mapper.ts';
import { DevelopmentAuthority } from '../../lb/edge/tls/authority.ts';
import { BothFamilyPorts } from '../../lb/vip/backends/nftables/ports/both-families.ts';
import { NftablesPorts } from '../../lb/vip/backends/nftables/ports/nftables-ports.ts';
import type { AgentSettings } from './agent-settings.ts';

/** All that an edge is made of: plain values, for a process of its own. */
export type EdgeComposition = {
  /** Where its program is: what is installed elsewhere is another edge. */
  readonly code?: string;
  readonly dataDir: string;
  readonly agentId: string;
  /** The kernel carries what it can. */
  readonly kernel: boolean;
  readonly edge: NonNullable<AgentSettings['edge']>;
};

/** `held`: what an edge of this folder is ended through, whoever began it. */
export type ComposedEdge = { readonly edge: EdgeConsumer | HeldEdge | undefined; readonly held: HeldEdge };

/** In a process of its own, which outlives this one, where the settings say so; what it writes to our output cannot be there. */
export function edgeOf(
  { edge, vip }: AgentSettings,
  { id, dataDir, clock, log }: { id: string; dataDir: string; clock: Clock; log: Log },
): ComposedEdge {
  const kernel = vip !== 'userspace';
  const entry = new URL('./edge-process.ts', import.meta.url);
  const code = entry.pathname;
  const composition: EdgeComposition | undefined = edge && { code, dataDir, agentId: id, kernel, edge };
  const held = new HeldEdge(
    { clock, log },
    { folder: dataDir, entry, settings: JSON.stringify(composition ?? {}) },
  );
  if (composition === undefined) return { edge: undefined, held };
  const stays = (edge?.staysMs ?? 0) > 0 && edge?.accessLog?.file !== '-';
  return { edge: stays ? held : composeEdge(composition, { clock, log }), held };
}

/** The edge, after one that another agent of this folder held and that is not wanted any more. */
export function edgeParts({ edge, held }: ComposedEdge, mapper: PortMapper | undefined): readonly Part[] {
  if (edge === held) return [held];
  const noOther: Part = { start: () => held.end(), async stop() {} };
  return [noOther, ...(edge === undefined ? noMappedPorts(mapper) : [edge])];
}

/** What an edge left that died here, and is no edge any more. */
function noMappedPorts(mapper: PortMapper | undefined): readonly Part[] {
  return mapper === undefined ? [] : [{ start: () => mapper.stop(), async stop() {} }];
}

/** Of both families. */
export function kernelPorts(parts: { readonly clock: Clock; readonly log: Log }): PortMapper {
  return new BothFamilyPorts(new NftablesPorts(parts), new NftablesPorts(parts, { family: 6 }));
}

/** The public edge with the choices of its settings. */
export function composeEdge(
  { dataDir, agentId, kernel, edge }: EdgeComposition,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): EdgeConsumer {
  const { http, https, accessLog, minTls = '1.2', engine = 'builtin', workers = 1, acceptProxy = [] } = edge;
  const authority = new DevelopmentAuthority({ clock }, { folder: join(dataDir, 'authority') });
  const certificate = (name: string) => authority.certificate(name);
  const mapper = kernel ? kernelPorts({ log, clock }) : undefined;
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
      workers,
      acceptProxy,
    },
  );
}
