import { errorCode, errorText } from '../core/kit/errors.ts';
import { BindFailed } from '../core/kit/listen.ts';
import { followParent } from '../core/kit/supervised.ts';
import { chooseSockets } from './choose-sockets.ts';
import { parseWorkerConfig } from './config.ts';
import { joined, parsePart } from './delta-parts.ts';
import { forwardHandler } from './handlers/forward.ts';
import {
  type CallName,
  type Calls,
  parseRequest,
  type Refusal,
  type Request,
  type Response,
} from './protocol.ts';
import { Resolver } from './resolver.ts';

/** The process that holds the sockets and the zone. It starts with an empty zone and nothing open. */
const { zone, server, sockets, forward } = parseWorkerConfig(process.argv[2]);
const resolver = new Resolver({
  zone,
  server,
  sockets: chooseSockets(sockets, server.threads),
  chance: Math.random,
  ...(forward && { forward: (parts) => forwardHandler(forward, parts) }),
});

const parts: ReturnType<typeof parsePart>[] = [];

process.on('message', (message) => {
  const request = parseRequest(message);
  if (request !== undefined) void handle(request);
});
followParent(() => resolver.stop());

async function handle(request: Request): Promise<void> {
  const { id } = request;
  try {
    tell({ id, kind: 'given', value: await perform(request) });
  } catch (error) {
    tell({ id, kind: 'failed', message: errorText(error) });
  }
}

/** To the parent. One that is gone needs no answer, and `followParent` ends this process. */
function tell(response: Response): void {
  process.send?.(response, undefined, undefined, () => {});
}

async function perform(request: Request): Promise<Calls[CallName]['given']> {
  switch (request.call) {
    case 'listen':
      return listening(resolver.listen(request.asked));
    case 'secure':
      return listening(resolver.secure(request.asked));
    case 'part':
      parts.push(parsePart(request.asked));
      return undefined;
    case 'apply':
      return resolver.applyInTurn(joined(request.asked, parts.splice(0)));
    case 'resolve':
      return resolver.resolve(request.asked);
    case 'explain':
      return resolver.explain(request.asked);
    case 'mesos':
      return resolver.mesos(request.asked);
    case 'dcos':
      return resolver.dcos(request.asked);
    case 'queries':
      return resolver.queries();
    case 'metrics':
      return resolver.metrics();
  }
}

async function listening<T>(opening: Promise<T>): Promise<{ kind: 'listening'; bound: T } | Refusal> {
  try {
    return { kind: 'listening', bound: await opening };
  } catch (error) {
    if (!(error instanceof BindFailed)) throw error;
    const { cause, address, port, protocol } = error;
    const at = { address, port };
    return { kind: 'refused', at, protocol, code: errorCode(cause) ?? '', message: errorText(cause) };
  }
}
