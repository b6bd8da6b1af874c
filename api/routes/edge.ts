import type { FastifyInstance } from 'fastify';
import { errorText } from '../../core/kit/errors.ts';
import type { Agent } from '../../core/model/agent.ts';
import { isServerSet } from '../../core/model/server-set.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { listenerStates, stateText } from '../listener-state.ts';
import { Problem } from '../problem.ts';
import { endpointCount } from './public-routes.ts';

type WhyQuery = {
  readonly url?: string;
  readonly method?: string;
  /** `name: value` */
  readonly header?: string | readonly string[];
  readonly client?: string;
};

/** One step of a request's way; `lb/edge/why/why.ts` says more. */
type Link = {
  readonly link: string;
  readonly ok: boolean;
  readonly says: string;
  readonly next?: string;
  readonly app?: string;
};

/** What the edges have in force, and what they would do with a request. */
export function edgeRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { publisher } = dependencies;

  server.get('/v1/edge/routes', async () => {
    const { revision, routes, listeners } = publisher.directory;
    const edges = edgesOf(dependencies).map((agent) => edgeState(dependencies, agent));
    const inForce = edges.filter((edge) => edge.connected && edge.revision >= revision).length;
    return {
      revision,
      edges,
      state: `in force on ${inForce}/${edges.length} edges, revision ${revision}`,
      listeners: [...listeners.values()].map((listener) => {
        const { id, owner, address, port, protocol, table } = listener;
        return {
          id,
          owner,
          address,
          port,
          protocol,
          table,
          state: stateText(listenerStates(dependencies, listener)),
        };
      }),
      routes: [...routes.values()].map(({ id, table, host, pathPrefix, service, owner }) => {
        return {
          id,
          table,
          host,
          pathPrefix,
          service,
          owner,
          endpoints: endpointCount(dependencies, { service }),
        };
      }),
    };
  });

  server.get<{ Querystring: WhyQuery }>('/v1/edge/why', async (request) => {
    const question = questionOf(request.query);
    const { revision } = publisher.directory;
    const all = edgesOf(dependencies);
    const first = edgeLink(dependencies, all);
    if (!first.ok) return { ...question, revision, edges: [{ edge: '', links: [first] }] };
    const asked = all.filter(({ id }) => dependencies.presence.agents.get(id)?.connected);
    const edges = asked.map(async (agent) => ({
      edge: agent.hostname,
      links: [first, ...(await answered(dependencies, agent, question))],
    }));
    return { ...question, revision, edges: await Promise.all(edges) };
  });
}

function questionOf({ url = '', method, header = [], client }: WhyQuery) {
  const text = /^https?:\/\//i.test(url) ? url : `http://${url}`;
  if (url === '' || !URL.canParse(text))
    throw new Problem(422, {
      message: `'${url}' is not a URL: expected http://HOST/PATH or https://HOST/PATH`,
    });
  const headers = [header].flat().map((line) => {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      throw new Problem(422, { message: `'${line}' is not a header: expected 'Name: value'` });
    return { name, value };
  });
  return {
    url: text,
    ...(method === undefined ? {} : { method: method.toUpperCase() }),
    ...(client === undefined ? {} : { client }),
    headers,
  };
}

function edgesOf({ database }: ApiDependencies): readonly Agent[] {
  return [...database.snapshot.table('agents').values()].filter((agent) => agent.edge);
}

function edgeState({ presence }: ApiDependencies, { id, hostname }: Agent) {
  const seen = presence.agents.get(id);
  return { edge: hostname, connected: seen?.connected === true, revision: seen?.acks['edge'] ?? 0 };
}

function edgeLink(dependencies: ApiDependencies, agents: readonly Agent[]): Link {
  const { revision } = dependencies.publisher.directory;
  const edges = agents.map((agent) => edgeState(dependencies, agent));
  const broken = (says: string, next: string) => ({ link: 'edge', ok: false, says, next });
  if (edges.length === 0) return broken('no edge runs', 'start one: weir agent --edge');
  const connected = edges.filter((edge) => edge.connected);
  const names = edges.map(({ edge }) => edge).join(', ');
  if (connected.length === 0) return broken(`no edge is connected (${names})`, 'see weir node list');
  const current = connected.filter((edge) => edge.revision >= revision).length;
  return {
    link: 'edge',
    ok: true,
    says: `revision ${revision} is in force on ${current}/${edges.length} edges`,
  };
}

async function answered(
  dependencies: ApiDependencies,
  agent: Agent,
  question: ReturnType<typeof questionOf>,
): Promise<readonly Link[]> {
  try {
    const links = await dependencies.questions.ask(agent.id, { kind: 'edge-why', ...question });
    return Array.isArray(links) ? links.map((link: Link) => withApp(dependencies, link)) : [];
  } catch (error) {
    const next = 'see the log of its agent';
    return [{ link: 'edge', ok: false, says: `${agent.hostname} does not say: ${errorText(error)}`, next }];
  }
}

/** Only the master knows why an app has no endpoints. */
function withApp({ database, publisher }: ApiDependencies, link: Link): Link {
  if (link.app === undefined) return link;
  if (isServerSet(link.app))
    return {
      ...link,
      says: `no service of ${link.app} has a ready instance`,
      next: `weir pool status ${link.app.split(':')[1]}`,
    };
  const app = database.snapshot.table('apps').get(link.app);
  const there = publisher.directory.byApp.get(link.app) ?? [];
  if (app === undefined)
    return { ...link, says: `the app ${link.app} does not exist`, next: 'deploy it, or change the route' };
  if (app.instances === 0)
    return { ...link, says: `${link.app} is scaled to 0`, next: `weir app scale ${link.app} 1` };
  if (there.length === 0)
    return { ...link, says: `no instance of ${link.app} runs`, next: `weir why ${link.app}` };
  const says = `${there.length} of ${link.app} run, none passes its health checks (or has the port of the route)`;
  return { ...link, says, next: `weir why ${link.app}` };
}
