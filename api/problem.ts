import { WeirError } from '../core/kit/errors.ts';

export type Detail = { readonly path: string; readonly errors: readonly string[] };

/** Marathon's error body (§1.6). Type-level and semantic faults have a list of details; a parser's text is a string. */
export type ProblemBody = {
  readonly message: string;
  readonly details?: readonly Detail[] | string;
  readonly deployments?: readonly { readonly id: string }[];
  /** Of Weir's own errors: the stable code. */
  readonly code?: string;
};

/** An answer other than success, thrown anywhere below a route. */
export class Problem extends WeirError {
  readonly status: number;
  readonly body: ProblemBody;

  constructor(status: number, body: ProblemBody) {
    super('WEIR_API_PROBLEM', body.message);
    this.status = status;
    this.body = body;
  }
}

export class NotFound extends Problem {
  constructor(message: string) {
    super(404, { message });
  }
}

/** Part of Marathon's API that Weir does not have yet: said so, never answered wrongly. */
export class NotBuilt extends Problem {
  constructor(what: string) {
    super(501, { message: `${what} is not built yet` });
  }
}

/** More deployments than may be on their way at once (§15.6). */
export function tooMany(limit: number): Problem {
  const message = `Max number (${limit}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter.`;
  return new Problem(403, { message });
}

export function locked(deployments: readonly string[]): Problem {
  const message =
    "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";
  return new Problem(409, { message, deployments: deployments.map((id) => ({ id })) });
}
