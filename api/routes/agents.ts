import type { FastifyInstance } from 'fastify';
import type { Agent } from '../../core/model/agent.ts';
import type { AgentAnswer } from '../../core/model/master-port.ts';
import type { Lease } from '../../core/model/network.ts';
import type { Write } from '../../core/state/store.ts';
import { leaseKey } from '../../core/state/tables.ts';
import { AgentStreams } from '../agent-streams.ts';
import type { ApiDependencies, ApiOptions } from '../dependencies.ts';
import { knowsSecret } from '../join-secret.ts';
import { NotFound } from '../problem.ts';

type ById = { Params: { id: string } };

/** How agents and the master talk (core/model/master-port.ts says what). Agents are ours: their bodies are trusted. */
export function agentRoutes(
  server: FastifyInstance,
  dependencies: ApiDependencies,
  { joinSecret }: Pick<ApiOptions, 'joinSecret'>,
): void {
  const { questions } = dependencies;
  const streams = new AgentStreams(dependencies);
  server.addHook('onClose', async () => streams.stop());

  server.post<ById & { Querystring: { since?: string; store?: string }; Body: Agent }>(
    '/v1/agents/:id/stream',
    async (request, reply) => {
      const agent = request.body;
      await register(dependencies, agent);
      reply.hijack();
      const { since, store } = request.query;
      const held = { revision: Number(since ?? 0), ...(store === undefined ? {} : { store }) };
      const secret = joinSecret?.();
      const proven = secret === undefined || knowsSecret(request, secret);
      await streams.serve(agent, held, { response: reply.raw, proven });
    },
  );

  server.post<{ Params: { id: string; question: string }; Body: AgentAnswer }>(
    '/v1/agents/:id/answers/:question',
    async (request, reply) => {
      questions.answered(request.params.question, request.body);
      return reply.code(204).send();
    },
  );

  server.post<{ Params: { id: string; network: string } }>(
    '/v1/agents/:id/leases/:network',
    async (request) => lease(dependencies, request.params.id, request.params.network),
  );
}

async function register({ database }: ApiDependencies, agent: Agent): Promise<void> {
  const before = database.snapshot.table('agents').get(agent.id);
  if (JSON.stringify(before) === JSON.stringify(agent)) return;
  await database.commit([{ kind: 'put', table: 'agents', key: agent.id, value: agent }]);
}

/** Two agents may ask at once: the loser of the race computes again from what the winner wrote. */
async function lease(
  { database, networks }: ApiDependencies,
  agentId: string,
  network: string,
): Promise<Lease> {
  for (;;) {
    const turn = await turnOf(database, network);
    const { snapshot } = database;
    const agent = snapshot.table('agents').get(agentId);
    if (agent === undefined) throw new NotFound(`Agent '${agentId}' does not exist`);
    if (!snapshot.table('networks').has(network)) throw new NotFound(`Network '${network}' does not exist`);
    const leases = [...snapshot.table('leases').values()];
    const own = networks.assign({
      networks: [...snapshot.table('networks').values()],
      leases,
      agent,
      network,
    });
    const key = leaseKey(network, agentId);
    const known = snapshot.table('leases').get(key);
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(own)) return own;
    const writes: Write[] = [
      { kind: 'put', table: 'leases', key, value: own, ...(known === undefined ? { expect: 0 } : {}) },
      // One record that every lease of the network passes through makes two agents' choices collide visibly.
      {
        kind: 'put',
        table: 'meta',
        key: `leases/${network}`,
        value: own.subnet,
        expect: turn,
      },
    ];
    const result = await database.commit(writes);
    if (result.kind === 'committed') return own;
  }
}

/** Known before the shares are looked at, and these not from before it: what is chosen of older ones is refused. */
async function turnOf(database: ApiDependencies['database'], network: string): Promise<number> {
  const record = await database.store.get('meta', `leases/${network}`);
  const turn = record?.version ?? 0;
  await database.reached(turn);
  return turn;
}
