import { type Dispatcher, request } from 'undici';

export type SeenEvent = { readonly eventType: string } & Readonly<Record<string, unknown>>;

/** Reads server-sent events one after the other. */
export class EventReader {
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly #frames: AsyncGenerator<SeenEvent>;
  readonly #end: () => void;

  private constructor(response: Dispatcher.ResponseData) {
    this.headers = response.headers;
    this.#frames = frames(response.body);
    this.#end = () => response.body.destroy();
  }

  /** Throws when the answer is not 200. */
  static async open(url: string): Promise<EventReader> {
    const response = await request(url, { headers: { accept: 'text/event-stream' }, bodyTimeout: 60_000 });
    if (response.statusCode === 200) return new EventReader(response);
    throw new Error(`${url}: ${response.statusCode} ${await response.body.text()}`);
  }

  /** Throws when the stream ends first. */
  async next(): Promise<SeenEvent> {
    const { value } = await this.#frames.next();
    if (value === undefined) throw new Error('the event stream ended');
    return value;
  }

  /** All events up to and with the first of this type. */
  async upTo(eventType: string): Promise<readonly SeenEvent[]> {
    const seen: SeenEvent[] = [];
    do seen.push(await this.next());
    while (seen.at(-1)?.eventType !== eventType);
    return seen;
  }

  close(): void {
    this.#end();
  }
}

async function* frames(body: Dispatcher.ResponseData['body']): AsyncGenerator<SeenEvent> {
  let rest = '';
  body.setEncoding('utf8');
  body.on('error', () => {});
  for await (const chunk of body) {
    const parts = (rest + String(chunk)).split('\r\n\r\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const data = part.split('\r\n').find((line) => line.startsWith('data: '));
      if (data !== undefined) yield JSON.parse(data.slice('data: '.length)) as SeenEvent;
    }
  }
}
