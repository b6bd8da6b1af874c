import type { Operation } from './operation.ts';
import { reference } from './schemas.ts';

/** Marathon §2, §7–§9. */
export const clusterOperations: readonly Operation[] = [
  get('/ping', 'Say pong', { type: 'text/plain' }),
  get('/', 'Lead to the console', { answers: { 302: 'To /ui/.' } }),
  get('/ui', 'A page of links, until there is a console', { type: 'text/html' }),
  get('/docs', 'This document, or a page of it for browsers'),
  get('/docs/openapi.json', 'This document'),
  get('/metrics', "Counts, in Dropwizard's form"),
  get('/metrics/prometheus', 'Counts, as Prometheus reads them', { type: 'text/plain' }),
  get('/logging', 'Show how much is logged'),
  {
    ...{ method: 'post', route: '/logging', path: '/logging', summary: 'Change how much is logged' },
    body: reference('Logging'),
  },
  get('/v2/info', 'Show what this is and how it is set'),
  get('/v2/leader', 'Name the master that leads'),
  {
    ...{ method: 'delete', route: '/v2/leader', path: '/v2/leader', summary: 'Let another master lead' },
    query: ['backup', 'restore'],
  },
  get('/v2/plugins', 'List plugins; there are none'),
  get('/v2/schemas/:type', 'The JSON Schema of an app or a group', { path: '/v2/schemas/{type}' }),
  get('/v2/deployments', 'List deployments that are on their way'),
  {
    ...{ method: 'delete', route: '/v2/deployments/:id', path: '/v2/deployments/{id}' },
    ...{ summary: 'Undo a deployment, or with force leave it as it is', query: ['force'] },
    answers: { 200: 'The deployment that undoes it.', 202: 'Given up.' },
  },
  get('/v2/queue', 'List what waits to be launched, and why', { query: ['embed'] }),
  {
    ...{
      method: 'delete',
      route: '/v2/queue/*',
      path: '/v2/queue/{app}/delay',
      summary: 'Launch without delay',
    },
    answers: { 204: 'There is no delay any more.' },
  },
  get('/v2/events', 'Follow what happens', {
    query: ['event_type', 'plan-format'],
    type: 'text/event-stream',
  }),
];

/** Weir's own. */
export const weirOperations: readonly Operation[] = [
  get('/v1/deployments', 'List deployments, with what each instance waits for'),
  get('/v1/nodes', 'List agents'),
  {
    ...{ method: 'post', route: '/v1/nodes/:node/drain', path: '/v1/nodes/{node}/drain' },
    summary: 'Move everything away from an agent',
  },
  {
    ...{ method: 'delete', route: '/v1/nodes/:node/drain', path: '/v1/nodes/{node}/drain' },
    summary: 'Use an agent again',
  },
  {
    ...{ method: 'delete', route: '/v1/nodes/:node', path: '/v1/nodes/{node}' },
    summary: 'Forget an agent that will not come back',
  },
  get('/v1/brake', 'Show whether unhealthy instances are left alone, and why'),
  { method: 'put', route: '/v1/brake', path: '/v1/brake', summary: 'Hold or release that brake' },
  get('/v1/certificates', 'List the certificates of the edges, without their keys'),
  {
    ...{ method: 'post', route: '/v1/certificates', path: '/v1/certificates', summary: 'Add a certificate' },
    answers: { 201: 'Added.' },
  },
  get('/v1/certificates/:name', 'Show a certificate and its chain', { path: '/v1/certificates/{name}' }),
  {
    ...{ method: 'put', route: '/v1/certificates/:name', path: '/v1/certificates/{name}' },
    summary: 'Add or replace a certificate',
  },
  {
    ...{ method: 'delete', route: '/v1/certificates/:name', path: '/v1/certificates/{name}' },
    ...{ summary: 'Remove a certificate', answers: { 204: 'Removed.' } },
  },
  {
    ...{ method: 'post', route: '/v1/certificates/issue', path: '/v1/certificates/issue' },
    summary: 'Have an authority issue a certificate, and renew it from then on',
    answers: { 201: 'Wanted from now on.' },
  },
  get('/v1/authorities', 'List the authorities that issue certificates'),
  {
    ...{ method: 'put', route: '/v1/authorities/:name', path: '/v1/authorities/{name}' },
    summary: 'Name an authority by its ACME directory',
  },
  {
    ...{ method: 'delete', route: '/v1/authorities/:name', path: '/v1/authorities/{name}' },
    ...{ summary: 'Forget an authority', answers: { 204: 'Forgotten.' } },
  },
  get('/v1/directory', 'Show the Directory: endpoints, virtual addresses, routes'),
  get('/v1/dns', 'Ask a name, and why it is answered so', { query: ['name', 'type', 'node'] }),
  get('/v1/instances/:instance/log', 'Read what an instance wrote', {
    path: '/v1/instances/{instance}/log',
    query: ['stream', 'tail', 'container'],
  }),
  get('/v1/listeners', 'List public listeners, with what became of each on every edge'),
  {
    ...{ method: 'post', route: '/v1/listeners', path: '/v1/listeners', summary: 'Open a public listener' },
    answers: { 201: 'Declared.' },
  },
  get('/v1/listeners/:name', 'Show a public listener', { path: '/v1/listeners/{name}' }),
  {
    ...{ method: 'put', route: '/v1/listeners/:name', path: '/v1/listeners/{name}' },
    summary: 'Open or change a public listener',
  },
  {
    ...{ method: 'delete', route: '/v1/listeners/:name', path: '/v1/listeners/{name}' },
    ...{ summary: 'Close a public listener', answers: { 204: 'Removed.' } },
  },
  get('/v1/networks', 'List container networks'),
  {
    ...{ method: 'post', route: '/v1/networks', path: '/v1/networks', summary: 'Make a container network' },
    answers: { 201: 'Made.' },
  },
  {
    ...{ method: 'delete', route: '/v1/networks/:name', path: '/v1/networks/{name}' },
    ...{ summary: 'Remove a container network', answers: { 204: 'Removed.' } },
  },
  get('/v1/edge/routes', 'List public routes, with what each edge has in force'),
  get('/v1/edge/why', 'Walk the way of a request through the edges to its first broken link', {
    query: ['url', 'method', 'header', 'client'],
  }),
  get('/v1/routes', 'List public routes'),
  {
    ...{ method: 'post', route: '/v1/routes', path: '/v1/routes', summary: 'Declare a public route' },
    answers: { 201: 'Declared.' },
  },
  get('/v1/routes/*', 'Show a public route', { path: '/v1/routes/{route}' }),
  {
    ...{ method: 'put', route: '/v1/routes/*', path: '/v1/routes/{route}' },
    summary: 'Declare or change a public route',
  },
  {
    ...{ method: 'delete', route: '/v1/routes/*', path: '/v1/routes/{route}' },
    ...{ summary: 'Remove a public route', answers: { 204: 'Removed.' } },
  },
  get('/v1/vips', 'List virtual IPs'),
  get('/v1/vips/faults', 'List labels that declare no virtual IP'),
  get('/v1/vips/*', 'Show a virtual IP', { path: '/v1/vips/{vip}' }),
  get('/v1/why/*', 'Say what an app waits for', { path: '/v1/why/{app}' }),
];

function get(
  route: string,
  summary: string,
  rest: Partial<Omit<Operation, 'method' | 'route' | 'summary'>> = {},
): Operation {
  return { method: 'get', route, path: route, summary, ...rest };
}
