import fc from 'fast-check';
import t from 'tap';
import type { Agent } from '../../core/model/agent.ts';
import type { App } from '../../core/model/app.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { testApp } from '../../core/state/testing/apps.ts';
import { AgentView } from '../agent-view.ts';
import { place } from '../place.ts';
import { bestByBruteForce } from '../testing/exhaustive.ts';
import { Fleet } from './fleet.ts';
import { Search } from './search.ts';

const numRuns = Number(process.env.WEIR_RUNS ?? 200);

const rack = fc.constantFrom('a', 'b', 'c');
const fleetOf = fc
  .array(
    fc.record({
      cpus: fc.constantFrom(1, 2, 4),
      mem: fc.constantFrom(512, 1024),
      gpus: fc.constantFrom(0, 0, 2),
      ports: fc.constantFrom(0, 1, 3),
      attributes: fc.record({ rack, disk: fc.constantFrom('ssd', 'hdd', '1.5') }, { requiredKeys: [] }),
    }),
    { maxLength: 12 },
  )
  .map((agents) =>
    agents.map(({ cpus, mem, gpus, ports, attributes }, index) =>
      testAgent(`h${index}`, {
        resources: { cpus, mem, disk: 100, gpus },
        ports: [{ begin: 31_000, end: 30_999 + ports }],
        attributes: { ...attributes },
      }),
    ),
  );

const field = fc.constantFrom('hostname', 'rack', 'disk', 'none');
const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  fc.record({ field, operator: fc.constantFrom('UNIQUE', 'CLUSTER', 'GROUP_BY') }),
  fc.record({
    field,
    operator: fc.constantFrom('MAX_PER', 'GROUP_BY'),
    value: fc.constantFrom('1', '2', '3'),
  }),
  fc.record({
    field,
    operator: fc.constantFrom('LIKE', 'UNLIKE', 'IS', 'CLUSTER'),
    value: fc.constantFrom('a', 'a|b', 'h[0-5]', 'ssd', '1.5001'),
  }),
);
const appOf = fc
  .record({
    instances: fc.integer({ min: 1, max: 12 }),
    cpus: fc.constantFrom(0, 0.1, 0.3, 1),
    mem: fc.constantFrom(16, 100, 300),
    gpus: fc.constantFrom(0, 0, 0, 1),
    constraints: fc.array(constraint, { maxLength: 2 }),
    ports: fc.constantFrom<readonly number[]>([], [], [0], [0, 0], [31_000], [0, 31_001]),
  })
  .map(({ ports, ...fields }) =>
    testApp('/x', {
      ...fields,
      networks: [{ mode: 'container', name: 'n' }],
      container: {
        type: 'MESOS',
        volumes: [],
        portMappings: ports.map((hostPort) => ({
          containerPort: 80,
          hostPort,
          servicePort: 0,
          protocol: 'tcp',
          labels: {},
          networkNames: [],
        })),
      },
    }),
  );

t.test('a search finds the agent that looking at every agent would find, until none is left', async () => {
  fc.assert(
    fc.property(fleetOf, fc.array(appOf, { minLength: 1, maxLength: 5 }), fc.gen(), (agents, apps, g) => {
      const fleet = new Fleet();
      for (const agent of agents) fleet.set(new AgentView(agent));
      for (const app of apps) compare(app, agents, fleet);
      for (const agent of agents) if (g(fc.boolean)) changeSome(agent, fleet);
      for (const app of apps) compare(app, agents, fleet);
    }),
    { numRuns },
  );
});

/** An agent comes back with other attributes and nothing on it, or leaves. */
function changeSome(agent: Agent, fleet: Fleet): void {
  if (agent.attributes.rack === 'a') fleet.drop(agent.id);
  else fleet.set(new AgentView({ ...agent, attributes: { rack: 'c', disk: 'new' } }));
}

/** Places all instances of an app, each beside those placed before. */
function compare(app: App, agents: readonly Agent[], fleet: Fleet): void {
  const peers: Agent[] = agents.slice(0, 2);
  const search = new Search({ app, peers }, fleet);
  for (let n = 0; n < app.instances; n++) {
    const views = agents.flatMap(({ id }) => fleet.view(id) ?? []);
    const expected = bestByBruteForce(app, peers, views);
    const placed = place(search, app, { fleet, random: () => 0.5 });
    if (placed?.agent.id !== expected?.agent.id)
      throw new Error(`found ${placed?.agent.id}, the best is ${expected?.agent.id}`);
    if (placed === undefined) return;
    peers.push(placed.agent);
  }
}
