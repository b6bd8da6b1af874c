import t from 'tap';
import { appPath } from './app-path.ts';

t.test('the end of a path says what of an app is meant', async (t) => {
  t.same(appPath('web'), { kind: 'app', id: '/web' });
  t.same(appPath('shop/web'), { kind: 'app', id: '/shop/web' });
  t.same(appPath('/shop//web/'), { kind: 'app', id: '/shop/web' });
  t.same(appPath('shop/web/restart'), { kind: 'restart', id: '/shop/web' });
  t.same(appPath('shop/web/tasks'), { kind: 'tasks', id: '/shop/web' });
  t.same(appPath('shop/web/tasks/t.1'), { kind: 'task', id: '/shop/web', task: 't.1' });
  t.same(appPath('shop/web/versions'), { kind: 'versions', id: '/shop/web' });
  t.same(appPath('shop/web/versions/v'), { kind: 'version', id: '/shop/web', version: 'v' });
  t.same(appPath('shop/*'), { kind: 'app', id: '/shop/*' });
  t.same(appPath('*/tasks'), { kind: 'tasks', id: '/*' });
});

t.test('a reserved word alone is an id, and an instance may be named like one', async (t) => {
  t.same(appPath('tasks'), { kind: 'app', id: '/tasks' });
  t.same(appPath('web/tasks/versions'), { kind: 'versions', id: '/web/tasks' });
});
