import type { ServerResponse } from 'node:http';
import type { ProblemBody } from './problem.ts';

/** On every response (Marathon §1.1). */
export const standingHeaders = {
  'cache-control': 'no-cache, no-store, must-revalidate',
  pragma: 'no-cache',
  expires: '0',
  'x-frame-options': 'DENY',
  'x-xss-protection': '1; mode=block',
};

/** An answer of the door itself, before any router. */
export function answerPlainly(
  response: ServerResponse,
  status: number,
  body: ProblemBody,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...standingHeaders, ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
