import fc from 'fast-check';
import t from 'tap';
import {
  appOfInstance,
  discoveryName,
  instanceId,
  instanceOfOldTask,
  instanceOfTask,
  safeId,
  segments,
  taskId,
} from './ids.ts';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?$/);
const segment = fc.array(label, { minLength: 1, maxLength: 2 }).map((labels) => labels.join('.'));
const appId = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);

t.test('ids of an app, its instances and its tasks lead back to each other', async () => {
  fc.assert(
    fc.property(appId, fc.uuid(), fc.integer({ min: 1, max: 99 }), (app, uuid, attempt) => {
      const instance = instanceId(app, uuid);
      return (
        appOfInstance(instance) === app &&
        instanceOfTask(taskId(instance, attempt)) === instance &&
        instanceOfTask(instance) === instance
      );
    }),
  );
});

t.test('ids read as the 1.8 family of Marathon', async (t) => {
  t.equal(safeId('/shop/cart'), 'shop_cart');
  t.equal(instanceId('/shop/cart', 'u'), 'shop_cart.instance-u');
  t.equal(taskId('shop_cart.instance-u', 2), 'shop_cart.instance-u._app.2');
  t.equal(discoveryName('/shop/cart'), 'cart.shop');
});

t.test('text that is no id leads nowhere', async (t) => {
  for (const text of ['', 'web', 'web.', 'instance-1', '.instance-', 'web.instance-a.b'])
    t.equal(appOfInstance(text), undefined, text);
  t.equal(instanceOfTask('web._app.1'), undefined);
  t.equal(instanceOfTask('web.instance-u._app.x'), undefined);
});

t.test('instances of older Marathons are understood', async (t) => {
  t.equal(appOfInstance('shop_cart.marathon-u'), '/shop/cart');
  t.equal(instanceOfOldTask('shop_cart.6c7b-1'), 'shop_cart.marathon-6c7b-1');
  t.equal(instanceOfOldTask('db.6c7b-1.3'), 'db.marathon-6c7b-1');
  t.equal(instanceOfOldTask('nothing'), undefined);
});

t.test('segments of a path come from the root', async (t) => {
  t.same(segments('/shop/web'), ['shop', 'web']);
  t.same(segments('/'), []);
});
