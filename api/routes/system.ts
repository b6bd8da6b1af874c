import type { FastifyInstance } from 'fastify';
import { bridgeNetwork } from '../../core/model/app.ts';
import type { ApiDependencies, ApiOptions } from '../dependencies.ts';
import { NotBuilt } from '../problem.ts';

/** Clients parse it: a three-part number of Marathon's (§21). */
const marathonVersion = '1.5.11';

/** Marathon §2. */
export function systemRoutes(
  server: FastifyInstance,
  { database, publisher, metrics }: ApiDependencies,
  options: ApiOptions,
): void {
  const leader = `${options.host}:${options.port}`;

  server.get('/ping', async (request, reply) => {
    const accept = request.headers.accept ?? '*/*';
    if (accept.includes('application/json')) return reply.type('application/json').send('"pong"');
    if (/text\/(plain|\*)|\*\/\*/.test(accept)) return reply.type('text/plain').send('pong');
    if (accept.includes('text/html')) return reply.type('text/html').send('<html><body>pong</body></html>');
    return reply.code(204).send();
  });

  server.get('/', async (_request, reply) => reply.redirect('/v2/info', 302));

  server.get('/v2/info', async () => ({
    name: 'marathon',
    version: marathonVersion,
    buildref: 'weir',
    elected: true,
    leader,
    frameworkId: options.frameworkId,
    marathon_config: {
      hostname: options.host,
      local_port_min: options.servicePorts.begin,
      local_port_max: options.servicePorts.end,
      // What definitions may ask for; what of it is not acted on, the header Warning of the answer says.
      features: ['external_volumes', 'gpu_resources', 'secrets'],
      default_network_name: bridgeNetwork,
      framework_name: 'marathon',
      ha: false,
      mesos_role: '*',
    },
    zookeeper_config: {},
    http_config: { http_port: options.port },
  }));

  server.get('/v2/leader', async () => ({ leader }));
  server.delete('/v2/leader', async () => {
    throw new NotBuilt('Abdicating leadership');
  });

  // Weir loads none: its seams are chosen when it is composed.
  server.get('/v2/plugins', async () => ({ plugins: [] }));

  server.get('/metrics', async () => ({
    version: '3.0.0',
    counters: {},
    gauges: {
      'marathon.apps.active.gauge': { value: database.snapshot.table('apps').size },
      'marathon.instances.running.gauge': { value: running() },
      'marathon.deployments.active.gauge': { value: database.snapshot.table('deployments').size },
    },
    histograms: {},
    meters: {},
    timers: {},
  }));

  const apps = metrics.gauge('weir_apps', 'Apps defined.');
  const instances = metrics.gauge('weir_instances_running', 'Instances that run.');
  const deployments = metrics.gauge('weir_deployments', 'Deployments in progress.');
  const revision = metrics.gauge('weir_directory_revision', 'Revision of the Directory.');
  server.get('/metrics/prometheus', async (_request, reply) => {
    apps(database.snapshot.table('apps').size);
    instances(running());
    deployments(database.snapshot.table('deployments').size);
    revision(publisher.directory.revision);
    return reply.type('text/plain; version=0.0.4').send(metrics.text());
  });

  function running(): number {
    return [...database.snapshot.table('instances').values()].filter(
      (instance) => instance.state.kind === 'running',
    ).length;
  }
}
