import type { PortMapping } from '../../core/model/app.ts';
import type { AppInput, PortMappingInput } from './app-schema.ts';
import { networksOf } from './networks-of.ts';
import { pick } from './pick.ts';

/** The port mappings of an app off the agent's own network, defaults filled in (Marathon §11.3, §11.7). */
export function portMappingsOf(input: AppInput): readonly PortMapping[] {
  const isBridged = networksOf(input).some((network) => network.mode === 'container/bridge');
  const given = mappingInputs(input) ?? [];
  return [...given, ...missing(input)].map((port) => complete(port, isBridged));
}

/** As written, in whichever of the three places; undefined when nothing was said of them. */
export function mappingInputs(input: AppInput): readonly PortMappingInput[] | undefined {
  const discovered = input.ipAddress?.discovery?.ports?.map(({ number, ...port }) => ({
    ...port,
    containerPort: number,
  }));
  return input.container?.portMappings ?? input.container?.docker?.portMappings ?? discovered;
}

/** Ports asked for in the form of the agent's own network count as mappings with nothing fixed (§11.2). */
function missing(input: AppInput): readonly PortMappingInput[] {
  const given = mappingInputs(input);
  const asked = input.portDefinitions?.length ?? input.ports?.length ?? 0;
  const count = given === undefined ? Math.max(1, asked) : asked - given.length;
  if (count <= 0) return [];
  const isOnly = count === 1 && (given ?? []).length === 0;
  return Array.from({ length: count }, () => (isOnly ? { name: 'default' } : {}));
}

function complete(port: PortMappingInput, isBridged: boolean): PortMapping {
  const hostPort = port.hostPort ?? (isBridged ? 0 : undefined);
  return {
    containerPort: port.containerPort ?? 0,
    ...(hostPort === undefined ? {} : { hostPort }),
    servicePort: port.servicePort ?? 0,
    protocol: port.protocol ?? 'tcp',
    ...pick(port, 'name'),
    labels: port.labels ?? {},
    networkNames: port.networkNames ?? [],
  };
}
