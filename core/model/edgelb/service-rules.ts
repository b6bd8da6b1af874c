import { regexFault } from '../route-shapes.ts';
import type { PoolFault } from './lenient.ts';
import type { PoolService } from './pool.ts';

/** A3, of one service of a backend. */
export function serviceFaults(service: PoolService, backend: string, path: string): readonly PoolFault[] {
  const what = `backend '${backend}'`;
  if (service.endpoint.type === 'ADDRESS') return addressFaults(service, what, path);
  return [
    ...selectorFaults(service, what, path),
    ...portFaults(service, what, path),
    ...patternFaults(service, what, path),
  ];
}

function addressFaults({ endpoint }: PoolService, what: string, path: string): readonly PoolFault[] {
  const { address = '', port } = endpoint;
  return [
    ...(address === ''
      ? [{ path: `${path}/endpoint/address`, error: `${what}: an endpoint of type ADDRESS needs an address` }]
      : []),
    ...(/^[0-9A-Za-z._:-]*$/.test(address)
      ? []
      : [
          {
            path: `${path}/endpoint/address`,
            error: `${what}: '${address}' is neither an address nor a host name`,
          },
        ]),
    ...(port <= 0
      ? [{ path: `${path}/endpoint/port`, error: `${what}: an endpoint of type ADDRESS needs a port` }]
      : []),
  ];
}

function selectorFaults(
  { marathon = {}, mesos = {} }: PoolService,
  what: string,
  path: string,
): readonly PoolFault[] {
  const framework =
    mesos.frameworkName ?? mesos.frameworkNamePattern ?? mesos.frameworkID ?? mesos.frameworkIDPattern ?? '';
  const task = mesos.taskName ?? mesos.taskNamePattern ?? mesos.taskID ?? mesos.taskIDPattern ?? '';
  if ((marathon.serviceID ?? marathon.serviceIDPattern ?? '') !== '') return [];
  if (framework !== '' && task !== '') return [];
  const error = `${what}: a service needs marathon.serviceID or serviceIDPattern, or a framework and a task of mesos`;
  return [{ path, error }];
}

function portFaults({ endpoint }: PoolService, what: string, path: string): readonly PoolFault[] {
  const { port, portName, allPorts } = endpoint;
  const ways = [port >= 0, portName !== '', allPorts].filter((way) => way).length;
  if (ways === 1) return [];
  const error =
    ways === 0
      ? `${what}: no port is chosen: give one of endpoint.port, portName and allPorts`
      : `${what}: ports are chosen in more than one way: give one of endpoint.port, portName and allPorts`;
  return [{ path: `${path}/endpoint`, error }];
}

function patternFaults(
  { marathon = {}, mesos = {} }: PoolService,
  what: string,
  path: string,
): readonly PoolFault[] {
  const patterns = [
    ...Object.entries(marathon).map(([key, text]) => ({ key: `marathon/${key}`, text })),
    ...Object.entries(mesos).map(([key, text]) => ({ key: `mesos/${key}`, text })),
  ].filter(({ key }) => key.endsWith('Pattern'));
  return patterns.flatMap(({ key, text }) => {
    const error = regexFault(text);
    return error === undefined
      ? []
      : [{ path: `${path}/${key}`, error: `${what}: ${key} '${text}' ${error}` }];
  });
}
