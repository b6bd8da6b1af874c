import { bridgeNetwork } from '../core/model/app.ts';
import type { ApiOptions } from './dependencies.ts';
import type { Json } from './marathon/render-app.ts';

/** Clients parse it: a three-part number of Marathon's (§21). */
const marathonVersion = '1.5.11';

/** Of the features that clients know, those that are acted on: definitions may ask for others (docs/decisions/not-acted-on.md). */
const features = ['gpu_resources'];

/** `GET /v2/info` (Marathon §2.4): only keys that strict clients know, and of those the ones that are true of Weir. */
export function infoOf(options: ApiOptions): Json {
  const { host, port, servicePorts, frameworkId, isShared, allowOrigins } = options;
  return {
    name: 'marathon',
    version: marathonVersion,
    buildref: 'weir',
    elected: true,
    leader: `${host}:${port}`,
    frameworkId,
    marathon_config: {
      ...(allowOrigins.length === 0 ? {} : { access_control_allow_origin: allowOrigins }),
      checkpoint: true,
      default_network_name: bridgeNetwork,
      executor: '//cmd',
      features,
      framework_name: 'marathon',
      ha: isShared,
      hostname: host,
      local_port_min: servicePorts.begin,
      local_port_max: servicePorts.end,
      maintenance_mode: true,
      master: `http://${host}:${port}`,
      mesos_role: '*',
      new_group_enforce_role: 'off',
    },
    zookeeper_config: {},
    http_config: { http_port: port },
  };
}
