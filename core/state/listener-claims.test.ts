import t from 'tap';
import type { Listener } from '../model/listener.ts';
import { ListenerClaims } from './listener-claims.ts';

const listener = (id: string, owner: string, port = 80): Listener => ({ id, owner, port, protocol: 'tcp' });

function declare(claims: ListenerClaims, ...all: readonly Listener[]) {
  const granted = claims.change(new Map(all.map((one) => [one.id, one])));
  return [...granted].flatMap(([id, one]) => (one === undefined ? [] : [id])).sort();
}

t.test('who had a place first keeps it, and the next gets it when it is free', async (t) => {
  const claims = new ListenerClaims();
  t.same(declare(claims, listener('b', 'app:/b')), ['b']);
  t.same(declare(claims, listener('a', 'listener:a')), ['b'], 'an operator comes too late');
  t.match(claims.refused, [{ listener: { id: 'a' }, holder: { id: 'b' } }]);
  t.same(claims.change(new Map([['b', undefined]])).get('a')?.id, 'a');
  t.same(claims.refused, []);
});

t.test('of those that come together an operator goes first, then the id decides', async (t) => {
  t.same(declare(new ListenerClaims(), listener('a', 'app:/a'), listener('b', 'listener:b')), ['b']);
  t.same(declare(new ListenerClaims(), listener('d', 'app:/d'), listener('c', 'app:/c')), ['c']);
});

t.test('a listener that moves frees its place', async (t) => {
  const claims = new ListenerClaims();
  declare(claims, listener('a', 'app:/a'), listener('b', 'app:/b'));
  t.same(declare(claims, listener('a', 'app:/a', 81)), ['a', 'b']);
});
