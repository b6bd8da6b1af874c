import type { ForwardAuth } from '../../../core/model/route.ts';
import type { EdgeContext } from '../context.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import { CollectingClient } from '../request/collecting-client.ts';
import { Exchange, type ExchangeRequest } from '../request/exchange.ts';
import { forwardRequest } from '../request/forward.ts';
import type { FieldChanges } from '../routes/field-changes.ts';
import { poolKey } from '../routes/pool-key.ts';
import type { RoutePolicy } from '../routes/route-policy.ts';
import { RouteTally } from '../telemetry/route-tally.ts';
import type { AuthVerdict, ForwardAuths } from './access-question.ts';

/** Fields that speak of content, which the question has not. */
const dropped = new Set(['content-length', 'transfer-encoding', 'content-encoding', 'expect', 'trailer']);
const unavailable = {
  status: 503,
  text: 'The service that decides about access did not answer.',
  why: 'forward-auth',
};

export class AskingForwardAuths implements ForwardAuths {
  readonly #context: () => EdgeContext;
  readonly #tally = new RouteTally('forward-auth');

  constructor(context: () => EdgeContext) {
    this.#context = context;
  }

  async ask(
    policy: RoutePolicy,
    auth: ForwardAuth,
    [client, head]: readonly [ClientFacts, RequestHead],
  ): Promise<AuthVerdict> {
    const collecting = new CollectingClient();
    const exchange = new Exchange(this.#context(), collecting, this.#question(policy, auth, [client, head]));
    exchange.begin(undefined, true);
    const { status, fields, content } = await collecting.answered;
    if (status === 0) return { asked: policy, answer: unavailable, changes: undefined };
    if (status >= 200 && status < 300)
      return { asked: policy, answer: undefined, changes: copied(fields, auth.copy ?? []) };
    const kept = fields.filter(({ name }) =>
      /^(www-authenticate|location|set-cookie|cache-control)$/.test(name),
    );
    const contentType = fields.find(({ name }) => name === 'content-type')?.value ?? 'text/plain';
    return {
      asked: policy,
      answer: { status, text: content, fields: linesOf(kept), contentType, why: 'forward-auth' },
      changes: undefined,
    };
  }

  #question(
    policy: RoutePolicy,
    auth: ForwardAuth,
    [client, head]: readonly [ClientFacts, RequestHead],
  ): ExchangeRequest {
    const asked = {
      ...head,
      method: 'GET',
      target: auth.path,
      path: auth.path,
      absolute: true,
      minor: 1,
    } as const;
    const forwarded = forwardRequest(asked, {
      client,
      requestId: this.#context().requestId(),
      upgrade: undefined,
      hostText: head.host?.text,
      cookie: undefined,
      changes: {
        drop: new Set([...dropped, 'x-forwarded-method', 'x-forwarded-uri']),
        lines: `X-Forwarded-Method: ${head.method}\r\nX-Forwarded-Uri: ${head.target}\r\n`,
      },
    });
    return {
      method: 'GET',
      forwarded,
      upgrade: undefined,
      contentAs: 'payload',
      tally: this.#tally,
      poolKey: poolKey(auth.service, policy.options),
      balance: { hashKey: client.address },
      edits: undefined,
      ends: undefined,
      lease: undefined,
      options: policy.options,
      encoding: undefined,
    };
  }
}

type NamedValue = { readonly name: string; readonly value: string };

function copied(fields: readonly NamedValue[], names: readonly string[]): FieldChanges {
  const drop = new Set(names.map((name) => name.toLowerCase()));
  return { drop, lines: linesOf(fields.filter(({ name }) => drop.has(name))) };
}

function linesOf(fields: readonly NamedValue[]): string {
  return fields.map(({ name, value }) => `${name}: ${value}\r\n`).join('');
}
