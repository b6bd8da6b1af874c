import { request } from 'undici';
import type { Host } from './host.ts';

export type Event = Readonly<Record<string, unknown>> & { readonly eventType: string };

/** Opens an event stream, which stays open until the test ends. */
export async function openEvents(
  { tunnel }: Pick<Host, 'tunnel'>,
  t: { teardown(end: () => void): void },
  query = '',
  origin = 'http://127.0.0.1:8080',
): Promise<AsyncGenerator<Event, void>> {
  const closing = new AbortController();
  t.teardown(() => closing.abort());
  const { body } = await request(`${origin}/v2/events${query}`, {
    dispatcher: tunnel.single,
    headers: { accept: 'text/event-stream' },
    bodyTimeout: 30_000,
    signal: closing.signal,
  });
  body.on('error', () => {});
  return eventsOf(body);
}

async function* eventsOf(body: AsyncIterable<unknown>): AsyncGenerator<Event, void> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    const whole = text.split('\r\n\r\n');
    text = whole.pop() ?? '';
    for (const block of whole) {
      const [, name, data] = /event: (\S+)\r\ndata: (.*)$/s.exec(block) ?? [];
      if (data === undefined) continue;
      const event: Event = JSON.parse(data);
      if (event.eventType === name) yield event;
    }
  }
}

/** All events up to and with the first of a kind. */
export async function upTo(events: AsyncGenerator<Event, void>, last: string): Promise<readonly Event[]> {
  const seen: Event[] = [];
  for (;;) {
    const { value } = await events.next();
    if (value === undefined) throw new Error(`the stream ended after ${JSON.stringify(seen)}`);
    seen.push(value);
    if (value.eventType === last) return seen;
  }
}
