import type { ListenAddress } from '../core/kit/listen.ts';
import type { DirectoryDelta } from '../core/model/directory.ts';
import type { PartText } from './delta-parts.ts';
import type { Explanation } from './explain.ts';
import type { HttpReply } from './http-reply.ts';
import type { PlainReply } from './plain-reply.ts';
import type { QueryReport } from './query-log.ts';
import type { SecureBound, SecureListen } from './secure/secure.ts';

/** What the control process may ask of the worker: `asked` → `given`. */
export type Calls = {
  readonly listen: { readonly asked: readonly ListenAddress[]; readonly given: ListenResult };
  readonly secure: { readonly asked: SecureListen; readonly given: SecureResult };
  /** A piece of the delta that `apply` is called with next. */
  readonly part: { readonly asked: PartText; readonly given: undefined };
  /** Gives the revision in force. */
  readonly apply: { readonly asked: DirectoryDelta; readonly given: number };
  readonly resolve: { readonly asked: NameAndType; readonly given: PlainReply };
  readonly explain: { readonly asked: NameAndType; readonly given: Explanation };
  readonly mesos: { readonly asked: PathAndPage; readonly given: HttpReply };
  readonly dcos: { readonly asked: PathAndPage; readonly given: HttpReply };
  readonly queries: { readonly asked: undefined; readonly given: QueryReport };
  /** Prometheus text. */
  readonly metrics: { readonly asked: undefined; readonly given: string };
};

export type CallName = keyof Calls;
/** `from`: where in a long list, as the page before says. */
export type PathAndPage = { readonly path: string; readonly from?: number | undefined };
export type NameAndType = { readonly name: string; readonly type: string };

export type ListenResult = { readonly kind: 'listening'; readonly bound: readonly ListenAddress[] } | Refusal;

export type SecureResult = { readonly kind: 'listening'; readonly bound: SecureBound } | Refusal;

/** `code` and `message` are the system's. */
export type Refusal = {
  readonly kind: 'refused';
  readonly at: ListenAddress;
  readonly protocol: 'udp' | 'tcp';
  readonly code: string;
  readonly message: string;
};

export type Request = {
  [K in CallName]: { readonly id: number; readonly call: K; readonly asked: Calls[K]['asked'] };
}[CallName];

export type Response =
  | { readonly id: number; readonly kind: 'given'; readonly value: Calls[CallName]['given'] }
  | { readonly id: number; readonly kind: 'failed'; readonly message: string };

/** Both sides are our own processes: only the shape of the envelope is looked at. */
export function parseRequest(message: unknown): Request | undefined {
  return isEnvelope(message) && 'call' in message ? (message as Request) : undefined;
}

export function parseResponse(message: unknown): Response | undefined {
  return isEnvelope(message) && 'kind' in message ? (message as Response) : undefined;
}

function isEnvelope(message: unknown): message is { id: number } {
  return typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'number';
}
