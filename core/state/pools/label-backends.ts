import type { App } from '../../model/app.ts';
import { portsOf } from '../../model/ports.ts';
import { type Delimiters, dictIn, splitAt } from './label-lists.ts';

type Json = Readonly<Record<string, unknown>>;

const endpointKeys = ['type', 'port', 'portName', 'allPorts', 'address', 'miscStr'];

/** A type, or all of an endpoint: `type:ADDRESS|address:db.example|port:80`. */
export function endpointOf(
  app: App,
  text: string | undefined,
  portName: string | undefined,
  delimiters: Delimiters,
): Json | string {
  const given = text?.trim() || 'AUTO_IP';
  const said = /^[A-Za-z_]+$/.test(given)
    ? { type: given.toUpperCase() }
    : dictIn(given, delimiters, endpointKeys);
  if (said === undefined) return `backend.endpoint '${given}' is no endpoint`;
  const typed = {
    ...said,
    ...('port' in said && { port: Number(said['port']) }),
    ...('allPorts' in said && { allPorts: said['allPorts'] === 'true' }),
  };
  if (endpointKeys.slice(1, 4).some((key) => key in said) || said['type'] === 'ADDRESS') return typed;
  const chosen = portOf(app, portName);
  return chosen === undefined
    ? 'it has no port that could be public, or its first has no name'
    : { ...typed, ...chosen };
}

/** What happens to paths on the way, and whether clients stay. */
export function rewriteOf(path: string | undefined, sticky: string | undefined, delimiter: string): Json {
  const cookie = stickyOf(sticky?.trim());
  if (path === undefined && cookie === undefined) return {};
  const [fromPath, toPath] = splitAt(path ?? '', delimiter);
  return {
    rewriteHttp: {
      ...(path !== undefined && { path: { fromPath, toPath } }),
      ...(cookie && { sticky: cookie }),
    },
  };
}

/** To be there is enough; what it says is `customStr`. */
function stickyOf(text: string | undefined): Json | undefined {
  if (text === undefined || text.toLowerCase() === 'false') return undefined;
  return text === '' || text.toLowerCase() === 'true' ? {} : { customStr: text };
}

/** The first port where none is named. */
function portOf(app: App, name: string | undefined): Json | undefined {
  if (name !== undefined) return { portName: name };
  const ports = portsOf(app);
  const [first] = ports;
  if (first === undefined) return undefined;
  if (ports.length === 1) return { allPorts: true };
  if (first.name !== undefined) return { portName: first.name };
  return first.containerPort ? { port: first.containerPort } : undefined;
}
