/** Apps that tests post: Marathon definitions as a person would write them. */
export type Definition = { readonly id: string } & Readonly<Record<string, unknown>>;

/**
 * A process for each request; answers `TASK GREETING` after `DELAY` seconds. Ends at once on SIGTERM with all it was
 * about to answer, as the worst servers do.
 */
const server = `exec perl -MIO::Socket::INET -e '
$SIG{CHLD} = "IGNORE";
$s = IO::Socket::INET->new(LocalAddr => $ENV{WEIR_ADDRESS} || "0.0.0.0", LocalPort => $ENV{PORT0}, Listen => 256, ReuseAddr => 1)
  or die "cannot listen: $!";
$b = "$ENV{MESOS_TASK_ID} $ENV{GREETING}\\n";
while (1) {
  $c = $s->accept or next;
  if (fork == 0) {
    while (<$c>) { last if /^\\r?$/ }
    select undef, undef, undef, $ENV{DELAY} if $ENV{DELAY};
    print $c "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($b) . "\\r\\nConnection: close\\r\\n\\r\\n$b";
    exit
  }
  close $c
}'`;

export const healthCheck = {
  protocol: 'MESOS_HTTP',
  path: '/',
  portIndex: 0,
  delaySeconds: 0,
  intervalSeconds: 1,
  timeoutSeconds: 5,
  gracePeriodSeconds: 30,
  maxConsecutiveFailures: 5,
};

export type WebServer = {
  readonly instances?: number;
  readonly greeting?: string;
  /** Seconds that an answer takes. */
  readonly delay?: number;
  /** `/NAME:PORT` or `ADDRESS:PORT`. */
  readonly vip?: string;
  readonly host?: string;
  readonly network?: string;
};

/** A web server on a container network, with a health check, and as given with a virtual IP and a public route. */
export function webServer(id: string, options: WebServer = {}): Definition {
  const { instances = 2, greeting = 'hi', delay = 0, vip, host, network = 'weir' } = options;
  const labels = vip === undefined ? {} : { labels: { VIP_0: vip } };
  return {
    id,
    cmd: server,
    instances,
    cpus: 0.05,
    mem: 64,
    env: { GREETING: greeting, DELAY: String(delay) },
    networks: [{ mode: 'container', name: network }],
    container: { type: 'MESOS', portMappings: [{ containerPort: 9000, name: 'http', ...labels }] },
    healthChecks: [healthCheck],
    ...(host === undefined ? {} : { labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: host } }),
  };
}

/** Runs shell lines once, one after the other, then waits: what they print is in its log. */
export function script(id: string, lines: readonly string[], more: object = {}): Definition {
  return {
    id,
    cmd: `${lines.join('\n')}\necho done; exec sleep 100000`,
    cpus: 0.05,
    mem: 32,
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', portMappings: [] },
    ...more,
  };
}
