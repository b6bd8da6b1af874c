import { WeirError } from '../../core/kit/errors.ts';

/** Nobody answers, or not as a master does. */
export class NoMaster extends WeirError {
  constructor(url: string, detail: string, options: { cause?: unknown; next?: string } = {}) {
    super('WEIR_MASTER_UNREACHABLE', `Cannot talk to the master at ${url}: ${detail}`, {
      next: startOne,
      ...options,
    });
  }
}

const startOne =
  'Is it running? Start it with "weir dev" or "weir master", or name another with --master URL or WEIR_MASTER.';

/** The master answered "no". `details` are lines `path: error` for people. */
export class Refused extends WeirError {
  readonly status: number;
  readonly details: readonly string[];

  constructor(status: number, text: string, request: string) {
    const body = bodyOf(text);
    super(
      'WEIR_API_REFUSED',
      body.message ?? `${request} was answered with ${status}`,
      nextFor(status, body),
    );
    this.status = status;
    this.details = detailLines(body.details);
  }
}

type Body = {
  readonly message?: string;
  readonly details?: unknown;
  readonly deployments?: readonly { readonly id: string }[];
};

function bodyOf(text: string): Body {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body) return body as Body;
  } catch {
    // Not the API's own words; the status has to do.
  }
  return {};
}

function nextFor(status: number, { deployments, message }: Body): { next?: string } {
  const holder = deployments?.[0]?.id;
  if (holder !== undefined)
    return {
      next: `Wait for it (weir deployment show ${holder}), cancel it (weir deployment cancel ${holder}), or repeat with --force.`,
    };
  if (status === 404 && message?.startsWith('App ') === true)
    return { next: 'See what there is with "weir app list".' };
  if (status === 409 && message?.startsWith('An app with id') === true)
    return { next: 'Change it with "weir app update", or remove it with "weir app rm".' };
  if (status === 401)
    return {
      next: 'Give them as http://USER:PASSWORD@HOST:PORT with --master, or in WEIR_CREDENTIALS=USER:PASSWORD.',
    };
  if (status === 503) return { next: 'Try again in a moment; "weir node list" shows who is connected.' };
  return {};
}

/** A list of faults by path, or a parser's own words. */
function detailLines(details: unknown): readonly string[] {
  if (typeof details === 'string') return [details];
  if (!Array.isArray(details)) return [];
  return details.flatMap((detail: { path?: unknown; errors?: unknown }) =>
    [detail.errors ?? []].flat().map((error) => `${String(detail.path ?? '/')}: ${readable(String(error))}`),
  );
}

/** Marathon's codes for faults of type, in words; the code stays for those who search for it. */
function readable(error: string): string {
  const words = typeWords[error];
  return words === undefined ? error : `${words} (${error})`;
}

const typeWords: Readonly<Record<string, string>> = {
  'error.path.missing': 'is missing',
  'error.expected.jsstring': 'must be a string',
  'error.expected.jsnumber': 'must be a number',
  'error.expected.jsboolean': 'must be true or false',
  'error.expected.jsarray': 'must be a list',
  'error.expected.jsobject': 'must be an object',
  'error.minLength': 'is too short',
  'error.maxLength': 'is too long',
  'error.min': 'is too small',
  'error.max': 'is too large',
  'error.pattern': 'has not the required form',
  'error.unknown.enum.literal': 'is none of the known values',
};
