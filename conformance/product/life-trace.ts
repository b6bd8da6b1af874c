import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Definition, healthCheck } from './definitions.ts';
import type { Host } from './host.ts';

/** What a replacement has to keep to (Marathon §15.4): ready instances at least, instances alive at most. */
export type Bounds = { readonly atLeast: number; readonly atMost: number };

export type Strategy = { readonly minimumHealthCapacity: number; readonly maximumOverCapacity: number };

/** Moments of instances, in the order in which they were. */
export type Moment = { readonly app: string; readonly task: string; readonly what: What };
type What = 'starts' | 'serves' | 'leaves' | 'ends';

/**
 * A server that writes its own life down: no word of Weir's is needed to know how many there were. It serves after up to
 * `WARM` seconds, and takes a moment to end after SIGTERM. `FAULT`: it ends at once (`crash`), never listens (`deaf`), or is
 * well for its first health check only (`sick`). Appended lines of many processes keep their order. Perl runs the handler
 * of a signal between two operations: one that comes just before a call that waits is seen when that returns, so none
 * waits for long.
 */
const server = `exec perl -MIO::Socket::INET -MIO::Select -MTime::HiRes=sleep -e '
open $t, ">>", "/trace/lines" or die "no trace: $!";
sub note { syswrite $t, "$ENV{MARATHON_APP_ID} $ENV{MESOS_TASK_ID} $_[0]\\n" }
$SIG{TERM} = sub { note("leaves"); sleep 0.05; note("ends"); exit };
$fault = $ENV{FAULT} || "";
note("starts");
if ($fault eq "crash") { print STDERR "no database\\n"; note("ends"); exit 3 }
sleep 0.1 while $fault eq "deaf";
sleep($fault eq "sick" ? 2 : rand($ENV{WARM}));
$s = IO::Socket::INET->new(LocalPort => $ENV{PORT0}, Listen => 256, ReuseAddr => 1) or die "cannot listen: $!";
note("serves");
$ready = IO::Select->new($s);
while (1) {
  $ready->can_read(0.1) or next;
  $c = $s->accept or next;
  $first = <$c>;
  while (<$c>) { last if /^\\r?$/ }
  $is = $fault eq "sick" && $first =~ /health/ && $checks++ ? "500 Sick" : "200 OK";
  $b = "$ENV{MESOS_TASK_ID} $ENV{VERSION}\\n";
  print $c "HTTP/1.1 $is\\r\\nContent-Length: " . length($b) . "\\r\\nConnection: close\\r\\n\\r\\n$b";
  close $c
}'`;

export type Traced = {
  readonly instances: number;
  readonly strategy: Strategy;
  /** Its public host. */
  readonly host?: string;
};

/** The app, on a container network with a health check. */
export function tracedServer(
  machine: Pick<Host, 'dir'>,
  id: string,
  { instances, strategy, host }: Traced,
): Definition {
  const folder = traceFolder(machine);
  mkdirSync(folder, { recursive: true });
  return {
    id,
    cmd: server,
    instances,
    cpus: 0.05,
    mem: 32,
    env: versionOf('0'),
    networks: [{ mode: 'container', name: 'weir' }],
    container: {
      type: 'MESOS',
      portMappings: [{ containerPort: 9000, name: 'http' }],
      volumes: [{ hostPath: folder, containerPath: '/trace', mode: 'RW' }],
    },
    healthChecks: [{ ...healthCheck, path: '/health', maxConsecutiveFailures: 3 }],
    upgradeStrategy: strategy,
    ...(host === undefined ? {} : { labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: host } }),
  };
}

export type Fault = 'crash' | 'deaf' | 'sick';

/** The environment of another version. */
export function versionOf(version: string, fault?: Fault): Readonly<Record<string, string>> {
  return { WARM: '0.4', VERSION: version, ...(fault === undefined ? {} : { FAULT: fault }) };
}

export function readTrace(host: Pick<Host, 'dir'>): readonly Moment[] {
  const lines = readFileSync(join(traceFolder(host), 'lines'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [app = '', task = '', what] = line.split(' ');
    return { app, task, what: what as What };
  });
}

/** Every moment at which there were too many or, once all had been there, too few; a line for each. */
export function boundFaults(
  moments: readonly Moment[],
  instances: number,
  { atLeast, atMost }: Bounds,
): readonly string[] {
  const alive = new Set<string>();
  const serving = new Set<string>();
  let complete = false;
  return moments.flatMap(({ task, what }, at) => {
    if (what === 'starts') alive.add(task);
    if (what === 'serves') serving.add(task);
    if (what === 'leaves') serving.delete(task);
    if (what === 'ends') alive.delete(task);
    complete ||= serving.size >= instances;
    const state = `after moment ${at} (${task} ${what})`;
    return [
      ...(alive.size > atMost ? [`${alive.size} alive ${state}, at most ${atMost} may be`] : []),
      ...(complete && serving.size < atLeast
        ? [`${serving.size} serve ${state}, at least ${atLeast} must`]
        : []),
    ];
  });
}

/** Tasks that never said that they end. */
export function stillAlive(moments: readonly Moment[]): readonly string[] {
  const ended = new Set(moments.filter(({ what }) => what === 'ends').map(({ task }) => task));
  const started = moments.filter(({ what }) => what === 'starts').map(({ task }) => task);
  return started.filter((task) => !ended.has(task)).toSorted();
}

function traceFolder({ dir }: Pick<Host, 'dir'>): string {
  return join(dir, 'trace');
}
