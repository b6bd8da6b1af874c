import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { NetworkInfo } from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { table } from '../show/table.ts';

type AddOptions = {
  readonly agentPrefix?: number;
  readonly backend?: string;
  readonly vni?: number;
  readonly port?: number;
  readonly mtu?: number;
  readonly egress?: string;
};

export function register(program: Command): void {
  const network = group(program, 'network', 'add, list and remove container networks');
  leaf(network, 'list', 'list networks and how many machines have a share of each').action(list);
  leaf(network, 'add', 'add a network')
    .argument('<name>')
    .argument('<cidr>', 'IPv4 range, such as 100.65.0.0/16')
    .option('--agent-prefix <n>', "prefix length of each machine's share (default 24)", wholeNumber)
    .option('--backend <name>', 'vxlan, host-gw or loopback (default vxlan)')
    .option('--vni <n>', 'VXLAN network identifier', wholeNumber)
    .option('--port <n>', 'VXLAN UDP port (default 4789)', wholeNumber)
    .option('--mtu <bytes>', 'default: from the underlay', wholeNumber)
    .option('--egress <mode>', 'none, or masquerade to let packets leave the cluster (default none)')
    .action(add);
  leaf(network, 'rm', 'remove a network that no app uses').argument('<network>').action(remove);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<{ networks: readonly NetworkInfo[] }>('/v1/networks');
  if (json) return printJson(answer);
  if (answer.networks.length === 0) return print('No networks yet. Add one with: weir network add NAME CIDR');
  print(
    table<NetworkInfo>(
      [
        { head: 'NETWORK', of: ({ name }) => name },
        { head: 'RANGE', of: ({ cidr }) => cidr },
        {
          head: 'SHARES',
          right: true,
          of: ({ leases = [], agentPrefix }) => `${leases.length} of /${agentPrefix}`,
        },
        { head: 'BACKEND', of: ({ backend }) => backend },
        { head: 'EGRESS', of: ({ egress }) => egress },
      ],
      answer.networks,
    ),
  );
}

async function add(name: string, cidr: string, options: AddOptions, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const { agentPrefix, backend, vni, port, mtu, egress } = options;
  const body = { name, cidr, agentPrefix, backend, vni, port, mtu, egress };
  const network = await master.send<NetworkInfo>('POST', '/v1/networks', { body });
  if (json) return printJson(network);
  print(
    `${network.name} is added: ${network.cidr}, a /${network.agentPrefix} for each machine, ${network.backend}`,
  );
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', `/v1/networks/${encodeURIComponent(name)}`);
  if (json) return printJson(null);
  print(`${name} is removed`);
}
