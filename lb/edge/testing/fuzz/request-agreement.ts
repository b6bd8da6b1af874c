import type { EdgeReading, ForwardedRequest } from './edge-requests.ts';
import { type Field, isImpostor, ofOneHop, sameFields, sameMessage, show, withoutNamed } from './fields.ts';
import type { Llhttp, Reading, ReadMessage } from './llhttp.ts';

/** What came of one input. `disagreement` is a fault of ours; `outcome` is counted. */
export type Verdict = { readonly outcome: string } | { readonly disagreement: string };

/** Written by the edge itself, and not believed of a client. */
const ours =
  /^(forwarded|x-forwarded-for|x-forwarded-host|x-forwarded-port|x-forwarded-proto|x-request-id)$/i;

/** Compares what the edge made of some bytes with what llhttp makes of them, and of what the edge forwarded. */
export function compareRequests(llhttp: Llhttp, edge: EdgeReading, bytes: Buffer): Verdict {
  const oracle = llhttp.requests(bytes);
  for (const [n, message] of edge.messages.entries()) {
    if (!llhttp.methods.includes(message.method))
      return { outcome: 'skipped: a method llhttp does not know' };
    const fault =
      readingFault(edge, message, oracle.messages[n]) ??
      forwardingFault(llhttp, message, oracle.messages[n]!);
    if (fault !== undefined) return { disagreement: `message ${n}: ${fault}` };
  }
  return edge.refused === undefined ? accepted(edge, oracle) : refused(edge.refused, oracle);
}

function refused(reason: string, oracle: Reading): Verdict {
  return { outcome: `${oracle.refused === undefined ? 'only we refuse' : 'both refuse'}: ${reason}` };
}

function accepted(edge: EdgeReading, oracle: Reading): Verdict {
  const last = edge.messages.at(-1);
  const isOver = last?.complete === true && !last.keeps;
  const beyond = oracle.messages.slice(edge.messages.length);
  if (!isOver && beyond.some(({ complete }) => complete))
    return { disagreement: 'llhttp has a message more' };
  if (oracle.refused === undefined || isOver) return { outcome: 'both accept' };
  // A head, or trailers, of which the end has not come: nothing of it was handed on yet.
  return { outcome: 'llhttp refuses before we judge' };
}

function readingFault(
  edge: EdgeReading,
  ours: ForwardedRequest,
  theirs: ReadMessage | undefined,
): string | undefined {
  if (theirs === undefined || theirs.method === '') return 'llhttp has no such head';
  if (ours.method !== theirs.method) return `method ${ours.method}, not ${theirs.method}`;
  if (ours.target !== theirs.target) return `target ${ours.target}, not ${theirs.target}`;
  if (!sameFields(ours.fields, theirs.fields))
    return `fields ${show(ours.fields)}, not ${show(theirs.fields)}`;
  if (ours.complete && !theirs.complete) return 'complete for us only';
  if (!ours.complete && theirs.complete && edge.refused === undefined) return 'complete for llhttp only';
  return ours.complete && ours.end !== theirs.end ? `ends at ${ours.end}, not ${theirs.end}` : undefined;
}

/** What the endpoint gets must be this one request and nothing else. */
function forwardingFault(
  llhttp: Llhttp,
  { forwarded, complete }: ForwardedRequest,
  theirs: ReadMessage,
): string | undefined {
  const { messages, refused } = llhttp.requests(Buffer.from(forwarded, 'latin1'));
  const [got, ...more] = messages;
  if (refused !== undefined) return `forwarded what llhttp refuses (${refused})`;
  if (got === undefined || more.length > 0) return `forwarded ${messages.length} messages`;
  if (got.complete !== complete) return complete ? 'forwarded half a message' : 'forwarded an end too early';
  if (complete && got.end !== forwarded.length) return 'forwarded more than a message';
  if (got.method !== theirs.method) return `forwarded method ${got.method}`;
  if (got.target !== originForm(theirs)) return `forwarded target ${got.target}`;
  const isContentKept = complete ? got.content === theirs.content : theirs.content.startsWith(got.content);
  if (!isContentKept) return 'forwarded another content';
  const [sent, wanted] = [withoutOurs(got), wantedFields(theirs)];
  return sameMessage(sent, wanted) ? undefined : `forwarded fields ${show(sent)}, not ${show(wanted)}`;
}

const absolute = /^https?:\/\/([^/?]*)(.*)$/i;

function originForm({ method, target }: ReadMessage): string {
  const rest = absolute.exec(target)?.[2];
  if (rest === undefined) return target;
  if (rest === '' && method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** What of a client's fields must arrive, in this order. */
function wantedFields({ fields, target }: ReadMessage): readonly Field[] {
  const authority = absolute.exec(target)?.[1];
  const kept = withoutNamed(fields).filter(([name]) => !isDropped(name));
  if (authority === undefined) return kept;
  return [['Host', authority], ...kept.filter(([name]) => !/^host$/i.test(name))];
}

/** An expectation ends here too where the client could not be told to go on. */
function isDropped(name: string): boolean {
  return ofOneHop.test(name) || ours.test(name) || isImpostor(name) || /^expect$/i.test(name);
}

/** What the endpoint got, without what the edge says of itself; the last field is its Via. */
function withoutOurs({ fields }: ReadMessage): readonly Field[] {
  return fields.slice(0, -1).filter(([name]) => !isDropped(name));
}
