import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Recorded = { readonly request: string; readonly body: unknown };
/** Answers by `METHOD /path` without the query; a list is answered one after the other, its last one for ever. */
export type Answers = Readonly<Record<string, Answer | readonly Answer[]>>;
export type Answer = { readonly status?: number; readonly body?: unknown };

export type FakeMaster = {
  readonly url: string;
  /** With the query, in the order they came. */
  readonly requests: readonly Recorded[];
  close(): Promise<void>;
};

/** An API that answers as it is told to. What it is not told about is a 404 in the API's words. */
export async function startFakeMaster(answers: Answers): Promise<FakeMaster> {
  const requests: Recorded[] = [];
  const asked = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const [path] = (request.url ?? '').split('?');
    const key = `${request.method} ${path}`;
    let text = '';
    for await (const chunk of request) text += String(chunk);
    requests.push({
      request: `${request.method} ${request.url}`,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const turn = asked.get(key) ?? 0;
    asked.set(key, turn + 1);
    const all = [answers[key] ?? { status: 404, body: { message: `URI not found: ${path}` } }].flat();
    const { status = 200, body } = all[Math.min(turn, all.length - 1)] ?? {};
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
