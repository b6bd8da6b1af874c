import type { ChallengeType } from '../../core/model/issuance.ts';
import type { AcmeProblem } from './failures.ts';

/** What we read of an authority's answers; everything else is left unread. */
export type DirectoryInfo = {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly renewalInfo: string | undefined;
  readonly caaIdentities: readonly string[];
  readonly wantsExternalAccount: boolean;
};

export type OrderInfo = {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate: string | undefined;
  readonly error: AcmeProblem | undefined;
};

export type ChallengeInfo = {
  readonly type: ChallengeType | string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
  readonly error: AcmeProblem | undefined;
};

export type AuthorizationInfo = {
  readonly status: string;
  readonly host: string;
  readonly challenges: readonly ChallengeInfo[];
};

export function readDirectory(body: unknown): DirectoryInfo | undefined {
  const directory = record(body);
  const meta = record(directory['meta']);
  const [newNonce, newAccount, newOrder] = ['newNonce', 'newAccount', 'newOrder'].map((name) =>
    text(directory[name]),
  );
  if (!newNonce || !newAccount || !newOrder) return undefined;
  return {
    ...{ newNonce, newAccount, newOrder },
    renewalInfo: text(directory['renewalInfo']),
    caaIdentities: list(meta['caaIdentities']).flatMap((name) => text(name) ?? []),
    wantsExternalAccount: meta['externalAccountRequired'] === true,
  };
}

export function readOrder(body: unknown): OrderInfo {
  const order = record(body);
  return {
    status: text(order['status']) ?? '',
    authorizations: list(order['authorizations']).flatMap((url) => text(url) ?? []),
    finalize: text(order['finalize']) ?? '',
    certificate: text(order['certificate']),
    error: readProblem(order['error']),
  };
}

export function readAuthorization(body: unknown): AuthorizationInfo {
  const authorization = record(body);
  return {
    status: text(authorization['status']) ?? '',
    host: text(record(authorization['identifier'])['value']) ?? '',
    challenges: list(authorization['challenges']).map((one) => {
      const challenge = record(one);
      const [type, url, token, status] = ['type', 'url', 'token', 'status'].map(
        (name) => text(challenge[name]) ?? '',
      );
      return {
        ...{ type: type ?? '', url: url ?? '', token: token ?? '', status: status ?? '' },
        error: readProblem(challenge['error']),
      };
    }),
  };
}

/** RFC 7807; of several hosts' problems (RFC 8555 §6.7.1) each is said. */
export function readProblem(body: unknown): AcmeProblem | undefined {
  const problem = record(body);
  const type = text(problem['type'])?.replace('urn:ietf:params:acme:error:', '');
  if (type === undefined) return undefined;
  const parts = list(problem['subproblems']).flatMap((one) => {
    const part = record(one);
    return `${text(record(part['identifier'])['value']) ?? ''}: ${text(part['detail']) ?? ''}`;
  });
  return { type, detail: [text(problem['detail']) ?? 'no reason given', ...parts].join('; ') };
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
