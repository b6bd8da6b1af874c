import type { PoolFault } from './lenient.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * A pool of the old shape (`apiVersion: V1`) in that of V2: `backends[].servers[]` become `services[]`. What is no object is left for the
 * reader of V2 to complain of.
 */
export function fromV1(pool: Json, faults: PoolFault[]): Json {
  const haproxy = objectIn(pool['haproxy']);
  const backends = listIn(haproxy['backends']).map((backend, n) => {
    const { servers, ...rest } = objectIn(backend);
    if (servers === undefined) return backend;
    const path = `/haproxy/backends/${n}/servers`;
    return {
      ...rest,
      services: listIn(servers).map((server, m) => serviceOf(server, `${path}/${m}`, faults)),
    };
  });
  return { ...pool, apiVersion: 'V2', haproxy: { ...haproxy, backends } };
}

function serviceOf(server: unknown, path: string, faults: PoolFault[]): Json {
  const { framework, task, port, type = 'AUTO_IP', customStr = '', check, ...others } = objectIn(server);
  for (const name of Object.keys(others))
    faults.push({ path: `${path}/${name}`, error: 'is not known here and does nothing', ignored: true });
  const { name = '', all = false, vip } = objectIn(port);
  const common = { ...(check === undefined ? {} : { check }), miscStr: customStr };
  if (type === 'VIP') return { endpoint: { ...common, type: 'ADDRESS', ...vipPlace(textIn(vip)) } };
  const endpoint = { ...common, type, portName: name, allPorts: all };
  return isMarathon(framework) && isAppId(task)
    ? { ...marathonTask(task), endpoint }
    : { ...mesosTask(framework, task), endpoint };
}

function isMarathon(framework: unknown): boolean {
  const { value } = objectIn(framework);
  return value === 'marathon';
}

/** Else it is the name of a task, which for apps outside of groups is the id without its slash. */
function isAppId(task: unknown): boolean {
  return textIn(objectIn(task)['value']).includes('/');
}

function marathonTask(task: unknown): Json {
  const { value, match = 'EXACT' } = objectIn(task);
  return { marathon: match === 'REGEX' ? { serviceIDPattern: value } : { serviceID: value } };
}

function mesosTask(framework: unknown, task: unknown): Json {
  const [one, other] = [objectIn(framework), objectIn(task)];
  return {
    mesos: {
      [one['match'] === 'REGEX' ? 'frameworkNamePattern' : 'frameworkName']: one['value'],
      [other['match'] === 'REGEX' ? 'taskNamePattern' : 'taskName']: other['value'],
    },
  };
}

/** `/web:80` is the VIP of that name, at its full name. */
function vipPlace(vip: string): Json {
  const [, name = vip, port] = /^\/?(.+):(\d+)$/.exec(vip) ?? [];
  const isAddress = /^[0-9.]+$|:/.test(name);
  return {
    address: isAddress ? name : `${name.replaceAll('/', '')}.marathon.l4lb.thisdcos.directory`,
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

function objectIn(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
