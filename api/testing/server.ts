import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { LogLevels } from '../../core/kit/log-levels.ts';
import { Metrics } from '../../core/kit/metrics.ts';
import { Database } from '../../core/state/database.ts';
import { EventBus } from '../../core/state/event-bus.ts';
import { Presence } from '../../core/state/presence.ts';
import { DirectoryPublisher } from '../../core/state/publisher.ts';
import { MemoryStore } from '../../core/state/stores/memory.ts';
import type { SchedulerPort, Waiting } from '../dependencies.ts';
import { Door, type Guard } from '../door.ts';
import { Questions } from '../questions.ts';
import { ApiServer } from '../server.ts';
import { Caller } from './caller.ts';

/** The API in this process, over tables that the test fills and a clock that it moves; nothing is scheduled. */
export async function startServer(
  t: { teardown(work: () => Promise<void>): void },
  {
    allowOrigins = [],
    guards = [],
    now,
    joinSecret,
  }: { allowOrigins?: readonly string[]; guards?: readonly Guard[]; now?: number; joinSecret?: string } = {},
) {
  const clock = new FakeClock(now);
  const database = new Database(new MemoryStore(), silentLog, clock);
  const publisher = new DirectoryPublisher(database);
  const events = new EventBus();
  const waiting = new Map<string, Waiting>();
  const uuid = () => 'id';
  const door = new Door({ host: '127.0.0.1', port: 0, guards }, refuse);
  const server = new ApiServer(
    {
      ...{ database, publisher, events, clock, uuid },
      ...{ presence: new Presence(1_500), log: silentLog, metrics: new Metrics() },
      logLevels: new LogLevels({ level: 'info' }, clock),
      abdicate: refuse,
      questions: new Questions(clock, uuid),
      scheduler: nothingScheduled(waiting),
      networks: { assign: refuse, faults: () => [] },
    },
    {
      host: '127.0.0.1',
      port: 0,
      servicePorts: { begin: 10_000, end: 20_000 },
      frameworkId: 'weir-0000',
      isShared: false,
      allowOrigins,
      joinSecret: () => joinSecret,
    },
    door,
  );
  const parts = [database, publisher, door, server];
  for (const part of parts) await part.start();
  t.teardown(async () => {
    for (const part of parts.toReversed()) await part.stop();
  });
  return { clock, database, events, waiting, url: server.url, api: new Caller(server.url) };
}

const healthBrake = { brakes: [], held: new Map() };

function nothingScheduled(waiting: ReadonlyMap<string, Waiting>): SchedulerPort {
  return {
    update: refuse,
    preview: refuse,
    kill: refuse,
    abandon: refuse,
    waiting,
    waitsOf: () => [],
    healthBrake,
    attempts: new Map(),
    silenceOf: refuse,
  };
}

function refuse(): never {
  throw new Error('this test schedules nothing');
}
