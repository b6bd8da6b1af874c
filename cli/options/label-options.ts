import { type Command, Option } from 'commander';
import type { LabelSettings } from '../../core/state/label-settings.ts';
import { wholeNumber } from './numbers.ts';
import { defaults, parseGroups } from './settings.ts';

export type LabelFlags = {
  readonly edgeGroups: readonly string[];
  readonly edgeStrict?: true;
  readonly edgeHosts: boolean;
  readonly appIdPort: number;
};

/** Which labels of marathon-lb count: options that `master` and `dev` share. */
export function labelOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--edge-groups <names>', 'HAPROXY_GROUP of the apps that edges serve; *: every app')
        .env('WEIR_EDGE_GROUPS')
        .default(parseGroups(defaults.edgeGroups), defaults.edgeGroups)
        .argParser(parseGroups),
    )
    .addOption(
      new Option('--edge-strict', 'edges serve only ports with HAPROXY_n_ENABLED=true').env(
        'WEIR_EDGE_STRICT',
      ),
    )
    .addOption(new Option('--no-edge-hosts', 'edges serve no HAPROXY_n_VHOST, only ports of their own'))
    .addOption(
      new Option('--app-id-port <port>', 'edges serve apps by X-Marathon-App-Id there; 0: nowhere')
        .env('WEIR_APP_ID_PORT')
        .default(wholeNumber(defaults.appIdPort), defaults.appIdPort)
        .argParser(wholeNumber),
    );
}

export function labelSettings({ edgeGroups, edgeStrict, edgeHosts, appIdPort }: LabelFlags): LabelSettings {
  return {
    groups: edgeGroups,
    strict: edgeStrict === true,
    sharedPlaces: edgeHosts,
    appIdPort: appIdPort === 0 ? undefined : appIdPort,
  };
}
