import type { AppInput, HealthCheckInput } from './app-schema.ts';
import type { AppDraft } from './normalise.ts';
import type { Faults } from './schema.ts';

const unresolved =
  'Health check port indices must address an element of the ports array or container port mappings.';

/** Marathon §14.1. */
export function checkHealth(checks: readonly HealthCheckInput[], draft: AppDraft, faults: Faults): void {
  const nodeSide = checks.filter(isNodeSide);
  if (nodeSide.length > 1 && nodeSide.some((check) => check.protocol !== 'COMMAND')) {
    faults.add('/healthChecks', 'AppDefinition can contain at most one Mesos health check');
  }
  for (const [index, check] of checks.entries()) {
    const path = `/healthChecks(${index})`;
    if (check.protocol === 'COMMAND') {
      if (check.command === undefined) faults.add(`${path}/command`, 'must be given for protocol COMMAND');
      continue;
    }
    checkPort(check, { path, ports: portsIn(draft).length }, faults);
    if (check.ipProtocol === 'IPv6' && !mayUseIpv6(check, draft)) {
      const error = 'IPv6 can only be used for container type DOCKER and Mesos http/https/tcp health checks';
      faults.add(path, error);
    }
  }
}

/** Marathon §14.4. */
export function checkGeneral({ check }: AppInput, draft: AppDraft, faults: Faults): void {
  if (check === undefined) return;
  if (draft.container?.type === 'DOCKER')
    faults.add('/check', "AppDefinition must not use 'checks' if using docker");
  const { http, tcp, exec } = check;
  const kinds = [http, tcp, exec].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) faults.add('/check', 'must be exactly one of http, tcp and exec');
  for (const [name, kind] of [
    ['http', http],
    ['tcp', tcp],
  ] as const)
    if (kind !== undefined) checkPort(kind, { path: `/check/${name}`, ports: portsIn(draft).length }, faults);
  if (exec === undefined) return;
  const { shell, argv } = exec.command;
  const hasArgv = argv !== undefined && argv.length > 0;
  if ((shell !== undefined) === hasArgv)
    faults.add('/check/exec/command', 'must be exactly one of shell and argv');
}

/** Marathon §14.5. */
export function checkReadiness(draft: AppDraft, faults: Faults): void {
  if (draft.readinessChecks.length > 1) faults.add('/readinessChecks', 'may contain at most one element');
  for (const [index, check] of draft.readinessChecks.entries()) {
    const path = `/readinessChecks(${index})`;
    if (check.timeoutSeconds >= check.intervalSeconds)
      faults.add(`${path}/timeoutSeconds`, 'must be less than intervalSeconds');
    const codes = check.httpStatusCodesForReady;
    if (codes.length === 0) faults.add(`${path}/httpStatusCodesForReady`, 'must not be empty');
    if (new Set(codes).size !== codes.length)
      faults.add(`${path}/httpStatusCodesForReady`, 'must not contain duplicates');
    if (!portsIn(draft).some((port) => port.name === check.portName))
      faults.add(`${path}/portName`, `No port definition reference for portName ${check.portName}`);
  }
}

function checkPort(
  check: Pick<HealthCheckInput, 'port' | 'portIndex'>,
  { path, ports }: { path: string; ports: number },
  faults: Faults,
): void {
  if (check.port !== undefined && check.portIndex !== undefined)
    faults.add(path, 'must not specify both port and portIndex');
  if (check.port === undefined && (check.portIndex ?? 0) >= ports) faults.add(path, unresolved);
}

function isNodeSide({ protocol = 'HTTP' }: HealthCheckInput): boolean {
  return protocol === 'COMMAND' || protocol.startsWith('MESOS_');
}

function mayUseIpv6(check: HealthCheckInput, draft: AppDraft): boolean {
  const isMesos = (check.protocol ?? 'HTTP').startsWith('MESOS_');
  return isMesos && draft.container?.type === 'DOCKER';
}

function portsIn(draft: AppDraft): readonly { readonly name?: string }[] {
  return draft.portDefinitions ?? draft.container?.portMappings ?? [];
}
