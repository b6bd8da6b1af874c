import { isHostMode } from '../../core/model/app.ts';
import { endpointsOf, type PodEndpoint } from '../../core/model/pod.ts';
import type { PodDraft } from './normalise-pod.ts';
import type { Faults } from './schema.ts';

/** Marathon §19.1: all containers of a pod share its ports. */
export function checkPodEndpoints(draft: PodDraft, faults: Faults): void {
  const all = endpointsOf(draft.pod);
  const refuseTwice = (items: readonly unknown[], error: string) => {
    if (new Set(items).size !== items.length) faults.add('/', error);
  };
  refuseTwice(
    all.map(({ name }) => name),
    // Spelt as Marathon does.
    'endpoint names nust be unique across all containers',
  );
  refuseTwice(
    all.flatMap(({ containerPort }) => containerPort || []),
    'container ports must be unique across all pod endpoints',
  );
  refuseTwice(
    all.flatMap(({ hostPort }) => hostPort || []),
    'host ports must be unique across all pod endpoints',
  );
  for (const [index, { endpoints }] of draft.pod.containers.entries())
    for (const [place, endpoint] of endpoints.entries())
      checkEndpoint(endpoint, { at: `/containers(${index})/endpoints(${place})`, draft }, faults);
}

function checkEndpoint(
  { containerPort, hostPort, protocol, networkNames }: PodEndpoint,
  { at, draft }: { at: string; draft: PodDraft },
  faults: Faults,
): void {
  if (isHostMode(draft)) {
    if (containerPort !== undefined)
      faults.add(`${at}/containerPort`, 'is not allowed when using host-mode networking');
  } else if (containerPort === undefined)
    faults.add(`${at}/containerPort`, 'is required when using container-mode networking');
  if (new Set(protocol).size !== protocol.length) faults.add(`${at}/protocol`, 'must not contain duplicates');
  const networks = draft.networks.flatMap((network) => (network.mode === 'container' ? network.name : []));
  for (const [index, name] of networkNames.entries()) {
    if (networks.includes(name)) continue;
    faults.add(`${at}/networkNames(${index})`, `'${name}' is not one of the networks of the pod`);
  }
  if (hostPort !== undefined && networks.length > 1 && networkNames.length !== 1) {
    const error =
      'networkNames must be a single item list when hostPort is specified and more than 1 container network is defined';
    faults.add(at, error);
  }
}
