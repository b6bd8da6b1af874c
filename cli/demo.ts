import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { BasicAuthentication } from '../api/credentials.ts';
import { parseApp } from '../api/marathon/parse-app.ts';
import { basicAuthorization } from '../core/kit/basic-authorization.ts';
import { isReady } from '../core/model/instance.ts';
import type { Address } from './compose/agent-settings.ts';
import type { Dev } from './compose/dev.ts';

export type Introduction = {
  readonly options: {
    readonly api: Address;
    readonly http: Address;
    readonly https: Address;
    readonly dns: Address;
    readonly logFile: string;
    readonly runtime: string;
    readonly vip: string;
    readonly demo: boolean;
    readonly authentication?: BasicAuthentication;
  };
  /** What the better runtime lacks here. */
  readonly lacks: readonly string[];
  readonly dev: Dev;
};

const example = new URL('../examples/hello.json', import.meta.url);
const demoPatienceMs = 60_000;

/** Says what runs and what to try; with `demo` and an empty store, deploys the example first. */
export async function introduce({ options, lacks, dev }: Introduction): Promise<void> {
  const { database } = dev.master;
  say(
    `${styleText('bold', 'Weir')} runs with ${options.runtime} containers and ${options.vip} virtual IPs; log in ${options.logFile}`,
  );
  if (lacks.length > 0)
    say(`containers are plain processes: missing ${lacks.join(', ')} (./weir doctor says more)`);
  if (options.demo && database.snapshot.table('apps').size === 0)
    await deployExample(dev, options.authentication);
  const app = database.snapshot.table('apps').get('/hello');
  if (app !== undefined && (await becomesReady(dev, app.id))) await sayWhatToTry(options, dev);
  say(
    'Ctrl-C stops Weir; apps go on running and are adopted by the next start (./weir down removes everything).',
  );
}

async function deployExample({ master }: Dev, access?: BasicAuthentication): Promise<void> {
  const body = await readFile(example, 'utf8');
  const parsed = parseApp(JSON.parse(body));
  if (!parsed.ok) throw new Error(`examples/hello.json: ${JSON.stringify(parsed.body)}`);
  const response = await fetch(`${master.api.url}/v2/apps`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(access === undefined ? {} : { authorization: basicAuthorization(access.credentials) }),
    },
    body,
  });
  if (!response.ok) throw new Error(`examples/hello.json was refused: ${await response.text()}`);
  say('deploying examples/hello.json');
}

/** Shows how far an app is until all of it is healthy; false: it takes too long, and why. */
async function becomesReady({ master, agent }: Dev, id: string): Promise<boolean> {
  const { snapshot } = master.database;
  const deadline = Date.now() + demoPatienceMs;
  let last = '';
  while (Date.now() < deadline) {
    const wanted = snapshot.table('apps').get(id)?.instances ?? 0;
    const members = snapshot
      .placementsOf(id)
      .map((placement) => snapshot.table('instances').get(placement.instanceId));
    const ready = members.filter((instance) => instance !== undefined && isReady(instance)).length;
    const steps = members.map((instance) =>
      instance?.state.kind === 'staging' ? instance.state.step : (instance?.state.kind ?? 'placed'),
    );
    const line = `  ${id}: ${ready}/${wanted} ready (${[...new Set(steps)].join(', ') || 'waiting for a place'})`;
    if (line !== last) say(line);
    last = line;
    if (ready >= wanted && agent.agent.inForce) return true;
    await delay(20);
  }
  say(
    `${id} is not ready: ${snapshot.table('failures').get(id)?.message ?? './weir app show /hello says why'}`,
  );
  return false;
}

async function sayWhatToTry(
  { http, https, dns }: Introduction['options'],
  { master, agent }: Dev,
): Promise<void> {
  const trusted = await agent.trustFor?.('hello.localhost');
  const { addresses } = { addresses: master.database.snapshot.table('addresses') };
  const own = addresses.get('weir/hello')?.address;
  say(`
Try:
  curl http://hello.localhost:${http.port}/
  curl --cacert ${trusted ?? 'ca.crt'} https://hello.localhost:${https.port}/
  dig @${dns.address} -p ${dns.port} +short hello.weir
  dig @${dns.address} -p ${dns.port} +short _hello._tcp.marathon.mesos SRV
  curl http://${own}:8080/            (its virtual IP)
  ./weir app list
`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
