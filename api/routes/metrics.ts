import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { RequestTimer } from '../request-timer.ts';

/** Marathon §2.2: counts of the cluster and of this API, in Dropwizard's JSON and as Prometheus text. */
export function metricsRoutes(
  server: FastifyInstance,
  { database, publisher, scheduler, metrics, events, clock }: ApiDependencies,
): void {
  const { snapshot } = database;
  const startedAt = clock.now();
  const timer = new RequestTimer();
  /** Those that were ever measured. */
  const certificates = new Set<string>();
  let deployments = 0;
  const unsubscribe = events.subscribe((event) => {
    if (event.kind === 'root-changed') deployments += 1;
  });
  server.addHook('onClose', async () => unsubscribe());
  server.addHook('onResponse', async (_request, reply) => timer.add(reply.elapsedTime / 1000));

  server.get('/metrics', async () => {
    const seconds = (clock.now() - startedAt) / 1000;
    const gauge = (value: number) => ({ value });
    return {
      version: '3.0.0',
      counters: { 'marathon.deployments.counter': { count: deployments }, ...weirs('counter', 'count') },
      gauges: {
        'marathon.apps.active.gauge': gauge(snapshot.table('apps').size),
        'marathon.deployments.active.gauge': gauge(snapshot.table('deployments').size),
        'marathon.groups.active.gauge': gauge(snapshot.table('groups').size),
        'marathon.instances.running.gauge': gauge(instancesIn('running')),
        'marathon.instances.staged.gauge': gauge(instancesIn('staging')),
        'marathon.uptime.gauge.seconds': gauge(seconds),
        ...weirs('gauge', 'value'),
      },
      histograms: {},
      meters: {},
      timers: { 'marathon.http.requests.duration.timer.seconds': timer.view(seconds) },
    };
  });

  const gauges = {
    apps: metrics.gauge('weir_apps', 'Apps defined.'),
    instances: metrics.gauge('weir_instances_running', 'Instances that run.'),
    deployments: metrics.gauge('weir_deployments', 'Deployments in progress.'),
    revision: metrics.gauge('weir_directory_revision', 'Revision of the Directory.'),
    certificates: metrics.gauge(
      'weir_certificate_not_after_seconds',
      'When a certificate of the edges expires, seconds since the epoch; 0: it was removed.',
    ),
    failures: metrics.gauge(
      'weir_certificate_failures',
      'How often in a row an authority did not issue or renew a certificate.',
    ),
    failed: metrics.gauge(
      'weir_certificate_last_failure_seconds',
      'When that was last, seconds since the epoch; 0: never, or it was issued since.',
    ),
    held: metrics.gauge('weir_unhealthy_held', 'Unhealthy instances that the brake keeps from being ended.'),
  };
  server.get('/metrics/prometheus', async (_request, reply) => {
    measure();
    return reply.type('text/plain; version=0.0.4').send(metrics.text());
  });

  function measure(): void {
    gauges.apps(snapshot.table('apps').size);
    gauges.instances(instancesIn('running'));
    gauges.deployments(snapshot.table('deployments').size);
    gauges.revision(publisher.directory.revision);
    for (const name of certificates.difference(snapshot.table('certificates')))
      gauges.certificates(0, { name });
    for (const { name, notAfter } of snapshot.table('certificates').values()) {
      certificates.add(name);
      gauges.certificates(Math.floor(notAfter / 1000), { name });
    }
    for (const { name, failures, lastFailure } of snapshot.table('orders').values()) {
      gauges.failures(failures, { name });
      gauges.failed(Math.floor((lastFailure?.at ?? 0) / 1000), { name });
    }
    gauges.held([...scheduler.healthBrake.held.values()].reduce((sum, held) => sum + held.size, 0));
  }

  /** The same as in the Prometheus text. */
  function weirs(type: 'counter' | 'gauge', key: string): Record<string, object> {
    measure();
    const ours = metrics.all().filter((metric) => metric.type === type);
    return Object.fromEntries(ours.map(({ name, value }) => [name, { [key]: value }]));
  }

  function instancesIn(kind: 'running' | 'staging'): number {
    let count = 0;
    for (const { state } of snapshot.table('instances').values()) if (state.kind === kind) count += 1;
    return count;
  }
}
