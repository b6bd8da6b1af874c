import { type Recorded, rawClient } from './peers.ts';

/** Answers each request with its own head as the content; a field `x-answer` says with which status, `x-place` with which Location. */
export function answerEcho(name: string): (recorded: Recorded) => void {
  return (recorded) => {
    const heads = recorded.text.value.split('\r\n\r\n').slice(0, -1);
    for (; recorded.answered < heads.length; recorded.answered++) {
      const head = heads[recorded.answered]!;
      const status = fieldOf(head, 'x-answer') ?? (head.includes(`/flaky-at-${name} `) ? '503' : '200');
      const place = fieldOf(head, 'x-place');
      const body = `at ${name}\r\n${head}\r\n`;
      const fields = `${place === undefined ? '' : `Location: ${place}\r\n`}X-Private: yes\r\n`;
      recorded.send(
        `HTTP/1.1 ${status} Told\r\nContent-Type: text/plain\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`,
      );
    }
  };
}

export type Told = {
  readonly status: number;
  readonly head: string;
  readonly body: string;
};

/** One request on a connection of its own, and the whole answer to it. */
export async function askFor(
  port: number,
  { method = 'GET', host, path = '/', fields = {} }: Question,
): Promise<Told> {
  const client = await rawClient(port);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  client.send(`${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines.join('')}\r\n`);
  await client.over();
  const text = client.text.value;
  const end = text.indexOf('\r\n\r\n');
  client.socket.destroy();
  return { status: Number(text.slice(9, 12)), head: text.slice(0, end), body: text.slice(end + 4) };
}

export type Question = {
  readonly method?: string;
  readonly host: string;
  readonly path?: string;
  readonly fields?: Readonly<Record<string, string>>;
};

export function fieldOf(head: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*?)\\r?$`, 'im').exec(head)?.[1];
}
