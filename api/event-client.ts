import type { ServerResponse } from 'node:http';
import type { ApiEvent } from './marathon/events.ts';

/** A client this far behind is cut off and re-reads state when it comes back (Marathon §9.1). */
export const mostUnread = 1_024;

/** An event in the two forms that clients choose from; each is made once, when the first client wants it. */
export type Emission = { readonly type: string; readonly light: () => string; readonly heavy: () => string };

export function emission(light: ApiEvent, heavy: () => ApiEvent = () => light): Emission {
  return { type: light.eventType, light: once(() => frame(light)), heavy: once(() => frame(heavy())) };
}

/** Writes events to one client. `fellBehind` is told when it is cut off. */
export function eventClient(
  response: ServerResponse,
  { types, isHeavy, fellBehind }: { types: readonly string[]; isHeavy: boolean; fellBehind: () => void },
): (emission: Emission) => void {
  let unread = 0;
  return (event) => {
    if (response.destroyed || !wants(types, event.type)) return;
    unread += 1;
    if (unread > mostUnread) {
      fellBehind();
      response.destroy();
      return;
    }
    response.write(isHeavy ? event.heavy() : event.light(), () => {
      unread -= 1;
    });
  };
}

/** Some clients of Marathon fail on a type they do not know (§23): Weir's own are for who names them. */
function wants(types: readonly string[], type: string): boolean {
  if (types.includes(type)) return true;
  return types.length === 0 && !type.startsWith('weir_');
}

function frame(event: ApiEvent): string {
  return `event: ${event.eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`;
}

function once(make: () => string): () => string {
  let made: string | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
