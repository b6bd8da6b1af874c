import { createHash, timingSafeEqual } from 'node:crypto';
import { answerPlainly } from './answer-plainly.ts';
import type { Guard } from './door.ts';

export type BasicAuthentication = {
  /** `user:password`. */
  readonly credentials: string;
  readonly realm: string;
};

/** Basic authentication of every request (Marathon §1.1) but `/ping`, which tells nothing and which monitors ask without credentials. */
export function authenticated({ credentials, realm }: BasicAuthentication): Guard {
  const wanted = digest(credentials);
  return (request, response) => {
    if (pathOf(request.url) === '/ping') return true;
    const given = given64(request.headers.authorization);
    // Digests are of one length, so that the comparison tells nothing of the password.
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return true;
    answerPlainly(
      response,
      401,
      { message: 'Invalid username or password.' },
      { 'www-authenticate': `Basic realm="${realm.replace(/["\\]/g, '\\$&')}"` },
    );
    return false;
  };
}

/** What follows the path of a request is no part of the question who may ask. */
export function pathOf(url = ''): string {
  return url.split('?')[0] ?? '';
}

function given64(header: string | undefined): string | undefined {
  const match = /^basic +([A-Za-z0-9+/=_-]+)\s*$/i.exec(header ?? '');
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], 'base64').toString('utf8');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
