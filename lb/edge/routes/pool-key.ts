import { createHash } from 'node:crypto';
import type { Route, RouteOptions, ServiceRef, UpstreamTls } from '../../../core/model/route.ts';

/** One of the pools that share a route's requests. */
export type PoolShare = { readonly poolKey: string; readonly share: number };

/** Routes that balance or check in different ways cannot share a pool. */
export function poolKey(
  service: ServiceRef,
  { balance, check, protocol, tls, sendProxy }: RouteOptions = {},
): string {
  const key = serviceKey(service);
  if ((balance ?? check ?? protocol ?? tls) === undefined) return key;
  const checked = check === undefined ? '' : JSON.stringify(sendProxy ? { ...check, sendProxy } : check);
  const spoken = spokenKey({ protocol, tls });
  return `${key}:${balance ?? ''}:${checked}${spoken === '' ? '' : `:${spoken}`}`;
}

/** What endpoints speak; '' for plain HTTP/1.1. */
export function spokenKey({
  protocol,
  tls,
}: {
  readonly protocol: RouteOptions['protocol'] | undefined;
  readonly tls: UpstreamTls | undefined;
}): string {
  return [...(protocol === undefined ? [] : [protocol]), ...(tls === undefined ? [] : [tlsKey(tls)])].join(
    ' ',
  );
}

function tlsKey(tls: UpstreamTls): string {
  return `tls ${createHash('sha256').update(JSON.stringify(tls)).digest('hex').slice(0, 16)}`;
}

export function serviceKey({ appId, portIndex }: ServiceRef): string {
  return `${appId}:${portIndex}`;
}

/** Every service that a route needs endpoints of. */
export function servicesOf({ service, options = {} }: Route): readonly ServiceRef[] {
  const { split = [], mirror, forwardAuth } = options;
  const all = [
    service,
    ...split.map((one) => one.service),
    ...(mirror === undefined ? [] : [mirror.service]),
    ...(forwardAuth === undefined ? [] : [forwardAuth.service]),
  ];
  return [...new Map(all.map((one) => [serviceKey(one), one])).values()];
}

/** How the requests of a route are divided; a service named twice gets both shares. */
export function shareOf({ service, options = {} }: Route): readonly PoolShare[] {
  const { split = [], ownShare = 100 } = options;
  return [{ service, share: ownShare }, ...split]
    .filter(({ share }) => share > 0)
    .map((one) => ({ poolKey: poolKey(one.service, options), share: one.share }));
}

/** Which of the shares gets a request; `chance` in [0, 1). */
export function drawShare(shares: readonly PoolShare[], chance: number): PoolShare | undefined {
  const drawn = chance * shares.reduce((sum, { share }) => sum + share, 0);
  let passed = 0;
  return shares.find(({ share }) => {
    passed += share;
    return drawn < passed;
  });
}
