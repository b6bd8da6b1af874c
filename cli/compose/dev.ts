import { hostname } from 'node:os';
import type { BasicAuthentication } from '../../api/credentials.ts';
import type { Clock } from '../../core/kit/clock.ts';
import { run } from '../../core/kit/exec.ts';
import type { Log, LogThreshold } from '../../core/kit/log.ts';
import { type Part, startAll, stopAll } from '../../core/kit/part.ts';
import type { Network } from '../../core/model/network.ts';
import type { LabelSettings } from '../../core/state/label-settings.ts';
import { plainRules } from '../../scheduler/placement-rules.ts';
import type { Choices } from '../doctor/choose.ts';
import type { MachineFacts } from '../doctor/facts.ts';
import { defaults, kernelRanges, loopbackRanges, parsePorts } from '../options/settings.ts';
import type { TrafficSettings } from '../options/traffic-options.ts';
import { type ComposedAgent, composeAgent } from './agent.ts';
import type { Address, AgentSettings } from './agent-settings.ts';
import { type ComposedMaster, composeMaster } from './master.ts';
import { checkPorts } from './port-check.ts';

export type DevSettings = {
  readonly dataDir: string;
  readonly api: Address;
  readonly edge: NonNullable<AgentSettings['edge']> & { readonly https: Address };
  readonly labels: LabelSettings;
  readonly traffic: TrafficSettings;
  readonly runtime: Choices['runtime']['value'];
  readonly vip: Choices['vip']['value'];
  /** Absent: one that these virtual IPs can have. */
  readonly vipRange?: string;
  readonly facts: MachineFacts;
  readonly drainLimitMs: number;
  readonly launchTimeoutMs: number;
  readonly authentication?: BasicAuthentication;
  readonly joinSecret?: string;
  readonly mostRequests?: number;
  readonly waitForAcks: boolean;
  readonly logThreshold: LogThreshold;
};

export type Dev = Part & {
  readonly agent: ComposedAgent;
  readonly master: ComposedMaster;
  /** Takes down what it made on the machine; what was accepted is kept. To be called while it does not run. */
  remove(): Promise<void>;
};

/** The agent's address where there is no other machine to reach it: one that containers can route to and nobody else has. */
export const devAddress = '100.127.255.1';

/** Everything on one machine: master, agent, resolver, virtual IPs and edge. */
export async function composeDev(
  settings: DevSettings,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Dev> {
  const isolated = settings.runtime === 'runc';
  const network: Pick<Network, 'cidr' | 'backend' | 'mtu'> = isolated
    ? { cidr: kernelRanges.network, backend: 'host-gw', mtu: 1_500 }
    : { cidr: loopbackRanges.network, backend: 'loopback' };
  const { vip, traffic, vipRange = vip !== 'userspace' ? kernelRanges.vip : loopbackRanges.vip } = settings;
  const { dataDir, api, drainLimitMs, launchTimeoutMs, waitForAcks } = settings;
  const { authentication, mostRequests, joinSecret } = settings;
  const master = await composeMaster(
    {
      api,
      dataDir,
      vipRange,
      ...(traffic.vipRange6 === undefined ? {} : { vipRange6: traffic.vipRange6 }),
      network,
      drainLimitMs,
      agentLostMs: Number(defaults.agentLost) * 1000,
      launchTimeoutMs,
      ...(authentication === undefined ? {} : { authentication }),
      ...(mostRequests === undefined ? {} : { mostRequests }),
      ...(joinSecret === undefined ? {} : { joinSecret }),
      placement: plainRules,
      labels: settings.labels,
      waitForAcks,
      logThreshold: settings.logThreshold,
      allowOrigins: [],
      mostDeployments: Number(defaults.mostDeployments),
      // Nobody else can open a store of this machine alone.
      onLeadershipLost: () => {},
    },
    { clock, log },
  );
  const agent = await composeAgent(
    {
      masters: [`http://${api.address}:${api.port}`],
      ...(authentication === undefined ? {} : { credentials: authentication.credentials }),
      joinSecret: () => master.joinSecret(),
      isMaster: true,
      hostname: hostname(),
      address: isolated ? devAddress : '127.0.0.1',
      dataDir,
      runtime: settings.runtime,
      vip,
      vipRange,
      ...traffic,
      attributes: {},
      resources: {},
      ports: parsePorts(defaults.ports),
      edge: settings.edge,
      ...(settings.facts.cni === undefined ? {} : { cniDir: settings.facts.cni }),
    },
    { clock, log },
  );
  const parts = [portsFree(settings), ...(isolated ? [ownAddress] : []), master, agent];
  return {
    agent,
    master,
    start: () => startAll(parts),
    stop: () => stopAll(parts),
    async remove() {
      // Opening the store proves that no Weir runs on this data folder.
      await master.database.start();
      await agent.remove();
      if (isolated) await removeOwnAddress();
      await master.database.stop();
    },
  };
}

/** All ports are looked at before anything is started, so that a taken one leaves nothing half up. */
function portsFree(settings: DevSettings): Part {
  return {
    start: () =>
      checkPorts([
        { what: 'API', flag: '--api', at: settings.api },
        { what: 'edge (HTTP)', flag: '--http', at: settings.edge.http },
        { what: 'edge (HTTPS)', flag: '--https', at: settings.edge.https },
        { what: 'resolver', flag: '--dns', at: settings.traffic.dns, udp: true },
        { what: 'Mesos-DNS HTTP API', flag: '--dns-http', at: settings.traffic.dnsHttp },
      ]),
    async stop() {},
  };
}

/** Stays when Weir stops: containers that go on running ask the resolver there as soon as it is back. */
const ownAddress: Part = {
  async start() {
    await run('ip', ['address', 'replace', `${devAddress}/32`, 'dev', 'lo']);
  },
  async stop() {},
};

async function removeOwnAddress(): Promise<void> {
  await run('ip', ['address', 'delete', `${devAddress}/32`, 'dev', 'lo']).catch(() => {});
}
