import { systemClock } from '../../core/kit/clock.ts';
import { errorCode, errorText } from '../../core/kit/errors.ts';
import { PortInUse } from '../../core/kit/listen.ts';
import { followParent } from '../../core/kit/supervised.ts';
import type { Listener } from '../../core/model/listener.ts';
import { BuiltinEngine } from '../engines/builtin.ts';
import { HaproxyEngine } from '../engines/haproxy/haproxy.ts';
import { type FromWorker, parseMessage, type ToWorker } from './messages.ts';
import { asksClients, matchPath } from './routes/match.ts';
import type { RouteTable } from './routes/route-table.ts';
import { TableKeeper } from './routes/table-keeper.ts';
import type { EdgeSettings } from './settings.ts';
import { CertificateCache, type KeyAndCertificate } from './tls/certificates.ts';
import { TurnClock } from './wire/turn-clock.ts';

const retryMs = 1_000;

/** The process that carries the traffic. It knows a Directory and nothing of where it comes from. */
function main(settings: Partial<EdgeSettings>): void {
  const keeper = new TableKeeper();
  const waiting = new Map<string, PromiseWithResolvers<KeyAndCertificate>>();
  const issue = (name: string) => {
    const known = waiting.get(name);
    if (known !== undefined) return known.promise;
    const asked = Promise.withResolvers<KeyAndCertificate>();
    waiting.set(name, asked);
    tell({ kind: 'certificate', name });
    return asked.promise;
  };
  const certificates = new CertificateCache(issue, {
    isServed: (host, scope = '') =>
      matchPath(keeper.table, host, '/', () => true, scope) !== undefined ||
      keeper.table.hosts.has(scope + host),
    asksClients: (host, scope) => asksClients(keeper.table, host, scope),
  });
  const dependencies = {
    clock: new TurnClock(systemClock),
    chance: Math.random,
    requestId: requestIds(),
    certificates,
  };
  const haproxy =
    settings.engine === 'haproxy'
      ? new HaproxyEngine({ clock: systemClock, chance: Math.random, issue, warn }, settings)
      : undefined;
  // Our own is never started: all it listens on is lent by the control process, one by one.
  const engine = haproxy ?? new BuiltinEngine(dependencies, settings);
  let opening: Promise<void> = Promise.resolve();
  process.on('message', (raw, handle) => {
    const message = parseMessage<ToWorker>(raw);
    if (message?.kind === 'apply') void apply(message);
    if (message?.kind === 'report') void report(message.id, message.full);
    if (message?.kind === 'why') void why(message);
    if (message?.kind === 'open') open(message.listener, handle);
    if (message?.kind === 'shut') shut(message.listener);
    if (message?.kind === 'ticket-key') certificates.useTicketKey(Buffer.from(message.key, 'base64'));
    if (message?.kind === 'serve') serve();
    if (message?.kind === 'leave') leave();
    if (message?.kind === 'certificate') {
      waiting.get(message.name)?.resolve(message);
      waiting.delete(message.name);
    }
    if (message?.kind === 'no-certificate') {
      waiting.get(message.name)?.reject(new Error(message.reason));
      waiting.delete(message.name);
    }
  });
  followParent(() => engine.stop());

  /** One after the other: a place that is shut may be wanted again at once. */
  function open(listener: Listener, handle: unknown): void {
    const socket = typeof handle === 'object' && handle !== null ? handle : undefined;
    const opened = haproxy?.open(listener, socket) ?? opening.then(() => engine.open(listener, socket));
    opening = Promise.all([opening, opened])
      .then(() => tell({ kind: 'opened', listener: listener.id }))
      .catch((error: unknown) => notOpen(listener.id, error));
  }

  function notOpen(listener: string, error: unknown): void {
    if (!listener.startsWith('*')) tell({ kind: 'not-open', listener, problem: errorText(error) });
    // The next worker may have more luck; the supervisor's delay keeps the attempts apart.
    else tell({ kind: 'cannot-listen', failure: failureOf(error) }, () => process.exit(1));
  }

  /** HAProxy has its own way with clients when it is stopped. */
  function leave(): void {
    void opening
      .then(() => (engine instanceof BuiltinEngine ? engine.leave() : engine.stop()))
      .then(() => process.exit(0));
  }

  function shut(listener: string): void {
    const done = haproxy?.shut(listener) ?? opening.then(() => engine.shut(listener));
    opening = Promise.all([opening, done]).then(
      () => {},
      (error: unknown) => warn(errorText(error)),
    );
  }

  function serve(): void {
    opening = opening
      .then(() => haproxy?.start())
      .then(
        () => tell({ kind: 'listening' }),
        (error: unknown) => notOpen('*', error),
      );
  }

  async function apply({ id, delta }: Extract<ToWorker, { kind: 'apply' }>): Promise<void> {
    const table = keeper.apply(delta);
    certificates.give(keeper.certificates);
    haproxy?.give(keeper.certificates);
    certificates.prove(keeper.challenges);
    tell({ kind: 'applied', id, revision: await inForce(table) });
  }

  /** An engine that cannot follow keeps what it has, and is asked again. */
  async function inForce(table: RouteTable): Promise<number> {
    for (;;) {
      try {
        return await engine.apply(table);
      } catch (error) {
        warn(errorText(error));
        await systemClock.sleep(retryMs);
        if (keeper.table !== table) return inForce(keeper.table);
      }
    }
  }

  async function why({ id, question }: Extract<ToWorker, { kind: 'why' }>): Promise<void> {
    tell({ kind: 'why', id, links: await engine.why(question) });
  }

  async function report(id: number, full: boolean): Promise<void> {
    const inFlight = await engine.inFlight();
    const stats = full ? await engine.stats() : undefined;
    const memory = process.memoryUsage.rss();
    tell({ kind: 'report', id, report: { worker: process.pid, inFlight, stats, memory } });
  }
}

function warn(text: string): void {
  process.stderr.write(`edge: ${text}\n`);
}

function tell(message: FromWorker, sent: () => void = () => {}): void {
  process.send?.(message, undefined, undefined, sent);
}

/** Ids that are unique over workers and restarts, cheap to make, and say nothing about how many there were. */
function requestIds(): () => string {
  const prefix = [1, 2].map(() => Math.random().toString(36).slice(2, 10)).join('');
  let next = Math.floor(Math.random() * 0x100_0000);
  return () => `${prefix}-${(next++).toString(36)}`;
}

function failureOf(error: unknown) {
  const place = error instanceof PortInUse ? error : { address: '', port: 0 };
  return {
    code: errorCode(error) ?? 'WEIR_CANNOT_LISTEN',
    message: errorText(error),
    address: place.address,
    port: place.port,
  };
}

main(JSON.parse(process.argv[2] ?? '{}') as Partial<EdgeSettings>);
