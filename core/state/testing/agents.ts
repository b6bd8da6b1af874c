import type { Agent } from '../../model/agent.ts';

export function testAgent(hostname: string, fields: Partial<Agent> = {}): Agent {
  return {
    id: hostname,
    hostname,
    address: `100.64.0.${hostname.replace(/\D/g, '') || '1'}`,
    resources: { cpus: 4, mem: 4096, disk: 10_000, gpus: 0 },
    ports: [{ begin: 31_000, end: 31_999 }],
    attributes: {},
    edge: false,
    runtime: 'fake',
    consumers: [],
    ...fields,
  };
}
