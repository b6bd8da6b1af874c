import t from 'tap';
import type { Route } from '../model/route.ts';
import { HostClaims, teamOf } from './host-claims.ts';

function route(app: string, path = '/', host = 'a.example'): Route {
  const id = `app:${app}:0:${host}${path}`;
  return { id, host, pathPrefix: path, service: { appId: app, portIndex: 0 }, owner: `app:${app}` };
}

function declared(...routes: readonly Route[]): ReadonlyMap<string, Route> {
  return new Map(routes.map((one) => [one.id, one]));
}

const nobody = () => undefined;

t.test('a team is a top-level group; apps outside of groups are one', async (t) => {
  t.same(['/shop/web', '/shop/a/b', '/web', '/api'].map(teamOf), ['/shop', '/shop', '/', '/']);
});

t.test("a host is the first team's, all of it, until that team claims it no more", async (t) => {
  const claims = new HostClaims();
  const [first, path, later] = [route('/shop/web'), route('/shop/api', '/api'), route('/blog/web', '/blog')];
  t.equal(claims.change(declared(first, path), nobody).get(path.id), path, 'one team shares its host');
  t.equal(claims.change(declared(later), nobody).get(later.id), undefined);
  t.match(claims.refused, [{ route: { owner: 'app:/blog/web' }, holder: { owner: 'app:/shop/web' } }]);
  t.same(claims.contested, new Map([['a.example', '/shop']]));
  claims.change(new Map([[first.id, undefined]]), nobody);
  t.same(claims.contested, new Map([['a.example', '/shop']]), 'it still has a path of it');
  const granted = claims.change(new Map([[path.id, undefined]]), nobody);
  t.equal(granted.get(later.id), later, "now it is the other team's turn");
  t.same(claims.refused, []);
});

t.test('whoever decides anew decides as it is stored', async (t) => {
  const both = declared(route('/blog/web'), route('/shop/web'));
  for (const [stored, holder] of [
    ['/shop', '/shop/web'],
    [undefined, '/blog/web'],
    ['/gone', '/blog/web'],
  ] as const) {
    const claims = new HostClaims();
    claims.change(both, () => stored);
    t.equal(claims.holder('a.example')?.service.appId, holder);
  }
});
