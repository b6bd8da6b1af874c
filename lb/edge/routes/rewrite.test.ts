import t from 'tap';
import { pathChange } from './rewrite.ts';

t.test('a changed path leads to nothing above what the route gives', async (t) => {
  const from = pathChange({ rewritePath: { from: '/in', to: '/' } }, '/')!;
  const regex = pathChange({ rewritePath: { regex: '^/in(.*)', with: '/$1' } }, '/')!;
  const prefix = pathChange({ rewritePath: { prefix: '/app/public' } }, '/in')!;
  const stripped = pathChange({ stripPrefix: '/in' }, '/in')!;
  for (const change of [from, regex])
    for (const path of ['/in../admin', '/in%2e%2e/admin', '/in.%2E', '/in./x']) t.equal(change(path), path);
  t.equal(from('/in/x/../../in/y'), '/y');
  t.equal(prefix('/in/../in/../in/x'), '/app/public/x');
  t.equal(stripped('/in/a/../b'), '/b');
  t.equal(stripped('/in/.well-known/..x'), '/.well-known/..x', 'a name may begin with dots');
  t.equal(stripped('/in/%2Fx'), '/%2Fx');
});
