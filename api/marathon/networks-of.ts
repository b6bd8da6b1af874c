import type { NetworkRequest } from '../../core/model/app.ts';
import { defaultNetwork } from '../../core/model/network.ts';
import type { AppInput } from './app-schema.ts';

/** The network name that said "bridge" before 1.5 (§11.7). */
const oldBridge = 'mesos-bridge';

/** What the networks of an app come to, also when they are said in an older form (Marathon §11.1, §11.7). */
export function networksOf(input: AppInput): readonly NetworkRequest[] {
  if (input.networks !== undefined && input.networks.length > 0) {
    return input.networks.map(({ mode = 'container', name, labels }) =>
      mode === 'container' ? containerNetwork(name, labels) : { mode },
    );
  }
  const { networkName, labels } = input.ipAddress ?? {};
  switch (input.container?.docker?.network) {
    case 'BRIDGE':
      return [{ mode: 'container/bridge' }];
    case 'USER':
      return [containerNetwork(networkName, labels)];
    case undefined:
      if (input.ipAddress === undefined) return [{ mode: 'host' }];
      return [
        networkName === oldBridge ? { mode: 'container/bridge' } : containerNetwork(networkName, labels),
      ];
    default:
      return [{ mode: 'host' }];
  }
}

/** A container network without a name is the one that every installation has. */
function containerNetwork(
  name = defaultNetwork,
  labels: Readonly<Record<string, string>> = {},
): NetworkRequest {
  return { mode: 'container', name, ...(Object.keys(labels).length === 0 ? {} : { labels }) };
}
