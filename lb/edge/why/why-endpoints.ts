import { connect } from 'node:net';
import { endpointName } from '../routes/route-table.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { broken, good, type WhyLink } from './why.ts';

/** An endpoint and what its engine knows of it. */
type Known = Pick<Upstream, 'endpoint' | 'ejectedUntil' | 'lastFault' | 'faultStreak'>;
type KnownPool<U extends Known> = {
  readonly upstreams: readonly U[];
  readonly checks: { isSick(upstream: U): boolean } | undefined;
};

const mostTried = 8;
const connectMs = 1_000;
/** A fault this long ago says little about now. */
const freshMs = 60_000;

/** Endpoints, their health, whether they can be reached, and how they answered. Ends at the first broken one. */
export async function whyEndpoints<U extends Known>(
  pool: KnownPool<U> | undefined,
  { app, now }: { readonly app: string; readonly now: number },
): Promise<readonly WhyLink[]> {
  if (pool === undefined || pool.upstreams.length === 0) {
    const link = broken('endpoints', `${app} has no instance that takes requests`, `weir why ${app}`);
    return [{ ...link, app }];
  }
  const there = good('endpoints', pool.upstreams.map(({ endpoint }) => endpointName(endpoint)).join(', '));
  const health = healthOf(pool, now);
  if (!health.ok) return [there, health];
  const reached = await reachable(pool.upstreams.slice(0, mostTried));
  return reached.ok ? [there, health, reached, lastAnswers(pool.upstreams, now)] : [there, health, reached];
}

function healthOf<U extends Known>({ upstreams, checks }: KnownPool<U>, now: number): WhyLink {
  const states = upstreams.map((upstream) => {
    const name = endpointName(upstream.endpoint);
    if (checks?.isSick(upstream)) return `${name} fails the checks of the edge`;
    const left = upstream.ejectedUntil - now;
    if (left <= 0) return undefined;
    return `${name} is left alone for ${Math.ceil(left / 1_000)} s: ${faultText(upstream, now)}`;
  });
  const bad = states.filter((state) => state !== undefined);
  if (bad.length < upstreams.length)
    return good(
      'health',
      [`${upstreams.length - bad.length} of ${upstreams.length} are well`, ...bad].join('; '),
    );
  return broken(
    'health',
    `none is well: ${bad.join('; ')}`,
    'see what the app says: weir task list, weir task log TASK',
  );
}

async function reachable(upstreams: readonly Known[]): Promise<WhyLink> {
  const faults = await Promise.all(upstreams.map(connectFault));
  const bad = faults.filter((fault) => fault !== undefined);
  if (bad.length < upstreams.length) return good('connection', ['the edge can connect', ...bad].join('; '));
  const next = 'does the app listen on the port it is given ($PORT0), on all addresses? weir task log TASK';
  return broken('connection', bad.join('; '), next);
}

async function connectFault({ endpoint }: Known): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: endpoint.address, port: endpoint.port });
  socket.setTimeout(connectMs, () => reject(new Error(`no connection within ${connectMs / 1_000} s`)));
  socket.once('connect', resolve);
  socket.once('error', reject);
  try {
    await promise;
    return undefined;
  } catch (error) {
    return `${endpointName(endpoint)}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    socket.destroy();
  }
}

/** The worst that can be said without asking anything: everybody's latest answers were faults. */
function lastAnswers(upstreams: readonly Known[], now: number): WhyLink {
  const fresh = upstreams.filter(({ lastFault }) => lastFault !== undefined && now - lastFault.at < freshMs);
  const told = fresh.map((one) => `${endpointName(one.endpoint)}: ${faultText(one, now)}`);
  if (upstreams.every(({ faultStreak }) => faultStreak > 0) && told.length > 0)
    return broken(
      'answers',
      `the last answers were errors: ${told.join('; ')}`,
      'the app fails: weir task log TASK',
    );
  return good(
    'answers',
    told.length === 0 ? 'no error within a minute' : `errors within a minute: ${told.join('; ')}`,
  );
}

function faultText({ lastFault }: Known, now: number): string {
  if (lastFault === undefined) return 'for its earlier answers';
  return `${lastFault.what}, ${Math.max(0, Math.round((now - lastFault.at) / 1_000))} s ago`;
}
