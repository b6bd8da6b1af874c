/** Apps that tests post: Marathon definitions as a person would write them. */
export type Definition = { readonly id: string } & Readonly<Record<string, unknown>>;

/** One process, one request at a time; answers `TASK GREETING`, and ends at once on SIGTERM, as the worst servers do. */
const server = `exec perl -MIO::Socket::INET -e '
$s = IO::Socket::INET->new(LocalAddr => $ENV{WEIR_ADDRESS} || "0.0.0.0", LocalPort => $ENV{PORT0}, Listen => 256, ReuseAddr => 1)
  or die "cannot listen: $!";
$b = "$ENV{MESOS_TASK_ID} $ENV{GREETING}\\n";
while ($c = $s->accept) {
  while (<$c>) { last if /^\\r?$/ }
  print $c "HTTP/1.1 200 OK\\r\\nContent-Length: " . length($b) . "\\r\\nConnection: close\\r\\n\\r\\n$b";
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
  /** `/NAME:PORT` or `ADDRESS:PORT`. */
  readonly vip?: string;
  readonly host?: string;
  readonly network?: string;
};

/** A web server on a container network, with a health check, and as given with a virtual IP and a public route. */
export function webServer(id: string, options: WebServer = {}): Definition {
  const { instances = 2, greeting = 'hi', vip, host, network = 'weir' } = options;
  const labels = vip === undefined ? {} : { labels: { VIP_0: vip } };
  return {
    id,
    cmd: server,
    instances,
    cpus: 0.05,
    mem: 32,
    env: { GREETING: greeting },
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
