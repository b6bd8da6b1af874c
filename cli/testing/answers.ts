import type { Answers } from './fake-master.ts';

/** Recorded from a master that runs two apps; times are given relative to now, as people see them. */
export function recorded(now: number): Answers {
  const ago = (seconds: number) => new Date(now - seconds * 1000 - 500).toISOString();
  const task = {
    id: 'shop_web.instance-8c9cbb32-3f6c-4e9d-9c50-7d0c3f1f2a11._app.1',
    appId: '/shop/web',
    host: 'h2',
    slaveId: 'h2-1a2b',
    state: 'TASK_RUNNING',
    ports: [31044],
    ipAddresses: [{ ipAddress: '100.64.1.2', protocol: 'IPv4' }],
    stagedAt: ago(620),
    startedAt: ago(610),
    version: '2026-11-21T20:00:00.000Z',
    healthCheckResults: [{ alive: true, consecutiveFailures: 0 }],
  };
  const web = {
    id: '/shop/web',
    cmd: 'node server.js',
    instances: 2,
    cpus: 0.5,
    mem: 128,
    disk: 0,
    env: { LEVEL: 'info' },
    labels: { HAPROXY_0_VHOST: 'shop.example.org' },
    constraints: [['hostname', 'UNIQUE']],
    networks: [{ mode: 'container', name: 'weir' }],
    container: {
      docker: { image: 'shop/web:3' },
      portMappings: [
        {
          containerPort: 80,
          hostPort: 0,
          servicePort: 10000,
          protocol: 'tcp',
          name: 'http',
          labels: { VIP_0: '/web:80' },
        },
      ],
    },
    healthChecks: [{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, intervalSeconds: 5 }],
    version: '2026-11-21T20:00:00.000Z',
    tasksStaged: 0,
    tasksRunning: 1,
    tasksHealthy: 1,
    tasksUnhealthy: 0,
    deployments: [{ id: 'd-1' }],
  };
  const batch = {
    ...web,
    id: '/batch',
    healthChecks: undefined,
    instances: 3,
    tasksRunning: 3,
    tasksHealthy: 0,
    deployments: [],
  };
  const failure = {
    appId: '/shop/web',
    host: 'h3',
    message: 'exit code 1: no database',
    state: 'TASK_FAILED',
    taskId: 't',
    timestamp: ago(3 * 3600),
    version: web.version,
  };
  const instance = (id: string, status: string, healthy: string) => ({
    ...{ id: `shop_pair.instance-${id}`, status, statusSince: ago(600), agentHostname: 'h2' },
    networks: [{ name: 'weir', addresses: ['100.64.1.7'] }],
    containers: [
      { name: 'web', status: 'TASK_RUNNING', conditions: [{ name: 'healthy', value: healthy }] },
      { name: 'side', status: 'TASK_FINISHED', conditions: [] },
    ],
  });
  const pair = {
    ...{ id: '/shop/pair', status: 'DEGRADED' },
    spec: {
      version: web.version,
      containers: [
        { name: 'web', resources: { cpus: 0.2, mem: 64 }, endpoints: [{ name: 'http', containerPort: 80 }] },
        { name: 'side', resources: { cpus: 0.1, mem: 32 }, image: { id: 'shop/side:2' } },
      ],
      volumes: [{ name: 'pages' }, { name: 'certs', host: '/etc/certs' }],
      networks: [{ mode: 'container', name: 'weir' }],
      scaling: { kind: 'fixed', instances: 2 },
    },
    instances: [instance('a', 'STABLE', 'true'), instance('b', 'DEGRADED', 'false')],
    terminationHistory: [{ terminatedAt: ago(3600), message: 'container side: exit code 3' }],
  };
  return {
    'GET /v2/apps': { body: { apps: [web, batch] } },
    'GET /v2/apps/shop/web': { body: { app: { ...web, tasks: [task], lastTaskFailure: failure } } },
    'GET /v2/apps/shop/web/tasks': { body: { tasks: [task] } },
    'GET /v2/tasks': { body: { tasks: [task] } },
    'GET /v2/pods::status': { body: [pair] },
    'GET /v2/pods/shop/pair::status': { body: pair },
    'GET /v1/brake': {
      body: {
        mode: 'on',
        brakes: [{ reason: '3 of 4 apps on h1 turned unhealthy at about the same time' }],
        held: [{ appId: '/shop/web', instanceId: 'shop_web.instance-a', reason: 'x' }],
      },
    },
    'GET /v1/deployments': {
      body: [
        {
          id: 'd-1',
          waits: [
            {
              app: '/shop/web',
              kind: 'health',
              instanceId: 'shop_web.instance-a',
              count: 1,
              detail: 'failed twice',
            },
          ],
        },
      ],
    },
    'GET /v1/why/shop/pair': { body: { app: '/shop/pair', waits: [] } },
    'GET /v1/why/shop/web': {
      body: {
        app: '/shop/web',
        waits: [{ kind: 'no-agent', count: 1, detail: 'fits on h1 if 0.3 more cpus were free' }],
      },
    },
    'GET /v2/queue': {
      body: {
        queue: [
          {
            app: { id: '/shop/web' },
            count: 1,
            delay: { timeLeftSeconds: 0, overdue: true },
            refusals: [
              { agentId: 'h1-9f', reason: 'InsufficientCpus', detail: 'needs 0.5 cpus, h1 has 0.2 free' },
              {
                agentId: 'h2-1a2b',
                reason: 'UnfulfilledConstraint',
                detail: 'hostname UNIQUE: h2 has one already',
              },
            ],
          },
        ],
      },
    },
    'GET /v2/deployments': {
      body: [
        {
          id: 'd-1',
          version: ago(30),
          affectedApps: ['/shop/web'],
          steps: [
            { actions: [{ action: 'StartApplication', app: '/shop/web' }] },
            { actions: [{ action: 'ScaleApplication', app: '/shop/web' }] },
          ],
          currentActions: [{ action: 'ScaleApplication', app: '/shop/web' }],
          currentStep: 2,
          totalSteps: 2,
        },
      ],
    },
    'GET /v1/nodes': {
      body: {
        nodes: [
          node('h2', { connected: true, instances: 1, acks: { dns: 9, vip: 9 }, lastHeard: now - 620_000 }),
          node('h1', { connected: false, instances: 0, acks: { dns: 4, vip: 9 }, lastHeard: now - 310_000 }),
        ],
      },
    },
    'GET /v1/routes': {
      body: {
        revision: 9,
        edges: 1,
        inForce: 1,
        routes: [
          {
            id: 'route:shop.example.org/api',
            host: 'shop.example.org',
            pathPrefix: '/api',
            service: { appId: '/batch', portIndex: 0 },
            owner: 'route:shop.example.org/api',
            endpoints: 3,
          },
          {
            id: 'app:/shop/web:0',
            host: 'shop.example.org',
            pathPrefix: '/',
            service: { appId: '/shop/web', portIndex: 0 },
            owner: 'app:/shop/web',
            endpoints: 1,
          },
        ],
      },
    },
    'GET /v1/vips': { body: [vip] },
    'GET /v1/vips/faults': { body: { faults: [vipFault] } },
    'GET /v1/vips/web.shop.weir': { body: vipAnswer },
    'GET /v1/networks': {
      body: {
        networks: [
          {
            name: 'weir',
            cidr: '100.64.0.0/16',
            agentPrefix: 24,
            backend: 'vxlan',
            egress: 'none',
            leases: [{}, {}],
          },
        ],
      },
    },
    'GET /v1/dns/queries': {
      body: {
        node: 'h2',
        answer: {
          queries: [
            {
              at: now,
              client: '100.64.1.9',
              transport: 'udp',
              name: 'web.shop.weir',
              type: 'A',
              rcode: 'NOERROR',
              standsFor: 3,
            },
          ],
          clients: [{ client: '100.64.1.9', queries: 12, failures: 2 }],
        },
      },
    },
    'GET /v1/dns': {
      body: {
        node: 'h2',
        answer: {
          reply: {
            rcode: 'NOERROR',
            answers: [{ name: 'web.shop.weir', type: 'A', ttl: 5, data: '100.100.0.7' }],
          },
          revision: 9,
          because: 'Zone weir has 1 such record.',
          records: [{ name: 'web.shop.weir', type: 'A', ttl: 5, data: '100.100.0.7', rule: 'name of a VIP' }],
          used: [{ instanceId: 'shop_web.instance-1', appId: '/shop/web', at: ['100.64.1.2:80'] }],
          leftOut: [
            {
              instanceId: 'shop_web.instance-2',
              appId: '/shop/web',
              at: [],
              reason: 'its health checks do not pass (yet)',
            },
          ],
        },
      },
    },
  };
}

const vip = {
  vip: 'web.shop.weir:80',
  protocol: 'tcp',
  address: '100.100.0.7',
  port: 80,
  names: ['web.shop.weir'],
  apps: ['/shop/web'],
  balance: 'random',
  backend: [
    { ip: '100.64.1.2', port: 80, weight: 1, instance: 'shop_web.instance-1', node: 'h2' },
    {
      ip: '100.64.1.3',
      port: 80,
      weight: 0,
      instance: 'shop_web.instance-2',
      node: 'h1',
      because: 'its health checks do not pass (yet)',
    },
  ],
};

const vipFault = { app: '/shop/web', key: 'VIP_1', value: 'web', reason: 'it has no port' };

const vipService = { key: 'tcp:100.100.0.7:80', connections: 12, open: { '100.64.1.2:80': 3 } };

const vipAnswer = {
  revision: 9,
  vips: [vip],
  faults: [vipFault],
  nodes: [
    {
      node: 'h2',
      revision: 9,
      status: {
        backend: 'nftables',
        services: [vipService],
        drift: [{ what: 'map services lacks 1 of its elements' }],
        audited: { agoMs: 4_200, tookMs: 340 },
      },
    },
    { node: 'h1', revision: 8, problem: 'it is not connected' },
  ],
};

function node(hostname: string, more: object): object {
  const resources = { cpus: 4, mem: 8192, disk: 1000, gpus: 0 };
  const id = hostname === 'h2' ? 'h2-1a2b' : 'h1-9f';
  return {
    id,
    hostname,
    address: `100.127.0.${hostname.slice(1)}`,
    resources,
    attributes: hostname === 'h1' ? { 'weir.master': 'true' } : {},
    edge: hostname === 'h2',
    runtime: 'runc',
    consumers: ['dns', 'vip'],
    revision: 9,
    ...more,
  };
}
