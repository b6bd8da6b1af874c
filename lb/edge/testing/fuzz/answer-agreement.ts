import type { EdgeAnswer } from './edge-answers.ts';
import { type Field, ofOneHop, sameFields, show, withoutNamed } from './fields.ts';
import type { Llhttp, ReadMessage } from './llhttp.ts';
import type { Verdict } from './request-agreement.ts';

/** Compares what the edge made of an endpoint's bytes with what llhttp makes of them, and of what the client got. */
export function compareAnswers(llhttp: Llhttp, edge: EdgeAnswer, bytes: Buffer, method: string): Verdict {
  const options = { isHead: method === 'HEAD', isWhole: true };
  const { messages, refused } = llhttp.answers(bytes, options);
  const theirs = messages.find(({ status }) => status >= 200 || status === 101);
  // llhttp takes them at their word; an interim answer has no content and closes nothing (RFC 9110 §15.2), and we hand none of it on.
  const closes = theirs === undefined && messages.length > 0 && refused?.startsWith('Data after');
  if (closes || messages.some(isInterimWithFraming))
    return { outcome: 'skipped: an interim answer with framing' };
  if (edge.status !== 0) {
    const got = llhttp.answers(Buffer.from(edge.forwarded, 'latin1'), options);
    const fault = readingFault(edge, theirs) ?? forwardingFault(edge, got, theirs!);
    if (fault !== undefined) return { disagreement: fault };
  }
  const isFine = theirs?.complete === true && edge.ending !== 'complete';
  return { outcome: isFine ? `only we refuse: ${edge.ending}` : edge.ending };
}

function isInterimWithFraming({ status, fields }: ReadMessage): boolean {
  const isInterim = status < 200 && status !== 101;
  return isInterim && fields.some(([name]) => /^(content-length|transfer-encoding|connection)$/i.test(name));
}

function readingFault(edge: EdgeAnswer, theirs: ReadMessage | undefined): string | undefined {
  if (theirs === undefined) return 'llhttp has no such answer';
  if (edge.status !== theirs.status) return `status ${edge.status}, not ${theirs.status}`;
  if (!sameFields(edge.fields, theirs.fields))
    return `fields ${show(edge.fields)}, not ${show(theirs.fields)}`;
  return edge.ending === 'complete' && !theirs.complete ? 'complete for us only' : undefined;
}

/** Interim answers, then this one answer and nothing else. */
function forwardingFault(
  { ending, forwarded }: EdgeAnswer,
  { messages, refused }: ReturnType<Llhttp['answers']>,
  theirs: ReadMessage,
): string | undefined {
  const got = messages.at(-1);
  if (ending === 'complete' && refused !== undefined) return `forwarded what llhttp refuses (${refused})`;
  if (got === undefined || messages.slice(0, -1).some(({ status }) => status >= 200))
    return 'forwarded another number of answers';
  if (got.status !== theirs.status) return `forwarded status ${got.status}`;
  if (ending === 'complete' && (!got.complete || got.end !== forwarded.length))
    return 'forwarded more or less than an answer';
  // A client that is cut off must see that it is.
  if (ending === 'broken' && got.complete) return 'forwarded an end that never came';
  const isKept =
    ending === 'complete' ? got.content === theirs.content : theirs.content.startsWith(got.content);
  if (!isKept) return 'forwarded another content';
  const [sent, wanted] = [withoutOurs(got.fields), wantedFields(theirs)];
  return sameFields(sent, wanted) ? undefined : `forwarded fields ${show(sent)}, not ${show(wanted)}`;
}

/** An answer that can have no content needs no framing either. */
function wantedFields({ fields, status }: ReadMessage): readonly Field[] {
  const isBare = status === 204;
  return withoutNamed(fields).filter(
    ([name]) => !ofOneHop.test(name) && !(isBare && /^(content-length|transfer-encoding)$/i.test(name)),
  );
}

function withoutOurs(fields: readonly Field[]): readonly Field[] {
  const isLastOurs = (n: number) => n === fields.findLastIndex(([name]) => name === 'Via');
  return fields.filter(([name], n) => !ofOneHop.test(name) && !isLastOurs(n));
}
