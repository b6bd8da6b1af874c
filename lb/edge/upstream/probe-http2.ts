import type { ClientHttp2Session } from 'node:http2';
import { UpstreamSession } from '../http2/upstream-session.ts';
import type { CheckPlan, PoolEndpoint } from '../routes/route-table.ts';
import type { UpstreamContext } from './upstream-context.ts';

/** The same question over HTTP/2: its settings, and 2xx or 3xx if there is a path to ask for. Never rejects. */
export async function probeHttp2(
  context: UpstreamContext,
  endpoint: PoolEndpoint,
  { path, host, timeoutMs }: CheckPlan & { readonly timeoutMs: number },
): Promise<boolean> {
  const { checkPort: port = endpoint.port } = endpoint;
  const session = new UpstreamSession(context, { ...endpoint, port }, () => {});
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const patience = { deadlineAt: context.clock.now() + timeoutMs, overdue: () => resolve(false) };
  context.deadlines.add(patience);
  session.ready.then(
    (ready) => (path === undefined ? resolve(true) : ask(ready, { path, host }, resolve)),
    () => resolve(false),
  );
  const well = await promise;
  context.deadlines.delete(patience);
  session.abandon();
  return well;
}

type Question = { readonly path: string; readonly host: string | undefined };

function ask(session: ClientHttp2Session, { path, host }: Question, told: (well: boolean) => void): void {
  const place = { ':method': 'GET', ':path': path, ...(host !== undefined && { ':authority': host }) };
  const stream = session.request({ ...place, 'user-agent': 'weir-edge' });
  stream.once('response', ({ ':status': status = 0 }) => {
    told(status >= 200 && status < 400);
  });
  stream.on('error', () => told(false));
  stream.once('close', () => told(false));
}
