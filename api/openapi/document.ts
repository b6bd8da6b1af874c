import type { JsonSchema } from '../marathon/schema.ts';
import { appOperations } from './apps.ts';
import { clusterOperations, weirOperations } from './cluster.ts';
import { groupOperations } from './groups.ts';
import { type Operation, queryParameters } from './operation.ts';
import { podOperations } from './pods.ts';
import { reference, schemas } from './schemas.ts';

/** A route as it is declared to the router. */
export type DeclaredRoute = { readonly method: string; readonly url: string };

/** Everything that is described. */
export const operations: readonly Operation[] = [
  ...appOperations,
  ...groupOperations,
  ...podOperations,
  ...clusterOperations,
  ...weirOperations,
];

/** Of the methods that a route which passes everything on answers, those that OpenAPI has and somebody uses. */
const methods = ['get', 'post', 'put', 'patch', 'delete'];

/**
 * The API's description (OpenAPI 3.1): every declared route is in it, with all that is known of it. Routes that agents speak
 * with the master are named only.
 */
export function openApi(routes: readonly DeclaredRoute[]): JsonSchema {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const add = (path: string, method: string, what: JsonSchema) => {
    paths[path] = { ...paths[path], [method]: what };
  };
  for (const route of routes) {
    const method = route.method.toLowerCase();
    if (!methods.includes(method)) continue;
    // The router reads a doubled colon as one that is meant as it stands.
    const url = route.url.replaceAll('::', ':');
    const known = operations.filter((each) => each.method === method && each.route === url);
    for (const operation of known) add(operation.path, method, described(operation));
    if (known.length === 0) add(templateOf(url), method, { summary: url, responses: errors });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Weir', version: '2.0.0', description: "Marathon's API below /v2, Weir's own below /v1." },
    paths,
    components: { schemas },
  };
}

/** `/v1/agents/:id/stream` as OpenAPI writes it. */
function templateOf(url: string): string {
  return url.replace(/:(\w+)/g, '{$1}').replaceAll('*', '{path}');
}

const errors = {
  default: {
    description: 'What is wrong.',
    content: { 'application/json': { schema: reference('Problem') } },
  },
};

function described({ path, summary, query = [], body, ...answer }: Operation): JsonSchema {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const inQuery = query.map((name) => ({ name, in: 'query', ...queryParameters[name] }));
  return {
    summary,
    tags: [path.split('/').slice(1, 3).join('/')],
    parameters: [...inPath, ...inQuery],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: responsesOf(answer),
  };
}

function responsesOf({
  answers = { 200: 'Done.' },
  answer = {},
  type = 'application/json',
}: Pick<Operation, 'answers' | 'answer' | 'type'>): JsonSchema {
  const withBody = (status: string) => !['202', '204', '302'].includes(status);
  const entries = Object.entries(answers).map(([status, description]) => [
    status,
    { description, ...(withBody(status) ? { content: { [type]: { schema: answer } } } : {}) },
  ]);
  return { ...Object.fromEntries(entries), ...errors };
}
