import { answerPlainly } from './answer-plainly.ts';
import { pathOf } from './credentials.ts';
import type { Guard } from './door.ts';

/**
 * At most so many requests at once (Marathon §1.1), the others are answered 503. Streams last as long as their readers do and
 * are not counted; nor are agents, who must get through when clients are many, nor `/ping`.
 */
export function atMostAtOnce(most: number): Guard {
  let current = 0;
  return (request, response) => {
    const path = pathOf(request.url);
    if (path === '/ping' || path.startsWith('/v2/events') || path.startsWith('/v1/agents/')) return true;
    if (current >= most) {
      const message = `Too many concurrent requests: ${most} are in progress`;
      answerPlainly(response, 503, { message }, { 'retry-after': '1' });
      return false;
    }
    current += 1;
    response.once('close', () => {
      current -= 1;
    });
    return true;
  };
}
