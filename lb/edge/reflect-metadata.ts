/**
 * The part of the reflect-metadata package that @peculiar/x509 wants to find on `Reflect` before it is loaded.
 * Called by `issue.ts` alone, in the process that issues certificates. To be replaced by the package once it is a
 * dependency of the product.
 */
export function provideReflectMetadata(): void {
  if ('getMetadata' in Reflect) return;
  const store = new WeakMap<object, Map<unknown, unknown>>();
  const own = (key: unknown, target: object) => store.get(target)?.get(key);
  const define = (key: unknown, value: unknown, target: object) => {
    store.set(target, (store.get(target) ?? new Map()).set(key, value));
  };
  const inherited = (key: unknown, target: object | null): unknown =>
    target === null ? undefined : (own(key, target) ?? inherited(key, Object.getPrototypeOf(target)));
  Object.assign(Reflect, {
    defineMetadata: define,
    getOwnMetadata: own,
    hasOwnMetadata: (key: unknown, target: object) => store.get(target)?.has(key) === true,
    getMetadata: inherited,
    hasMetadata: (key: unknown, target: object) => inherited(key, target) !== undefined,
    metadata: (key: unknown, value: unknown) => (target: object) => define(key, value, target),
  });
}
