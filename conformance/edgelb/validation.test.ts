import t from 'tap';
import { poolWith, validationCases } from '../../core/model/edgelb/testing/validation-cases.ts';
import { openHost } from '../product/host.ts';
import { startProduct } from '../product/product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const edgelb = '/service/edgelb/v2/pools';

type Refusal = { readonly code?: number; readonly message?: string };
type Details = {
  readonly details?: readonly { readonly path: string; readonly errors: readonly string[] }[];
};

t.test('every rule of validation refuses one pool and takes its neighbour', { skip }, async (t) => {
  const { api } = await startProduct(await openHost(t, 'validate'));
  for (const [what, wrong, place, right] of validationCases)
    await t.test(what, async (t) => {
      const refused = await api.call('POST', edgelb, poolWith(wrong));
      const { code, message = '' } = refused.body as Refusal;
      t.same([refused.status, code], [400, 400]);
      const told = await api.call('POST', '/v1/pools', poolWith(wrong));
      t.equal(told.status, 422);
      const { details = [] } = told.body as Details;
      const faults = details.map(({ path, errors }) => `${path} ${errors.join()}`);
      t.ok(
        faults.some((fault) => fault.startsWith(place)),
        `${place} in ${faults.join('; ')}`,
      );
      const [, words = ''] = /^\S+ (.*)$/.exec(place) ?? [];
      t.ok(message.includes(words), `${words} in ${message}`);
      t.equal((await api.call('POST', edgelb, poolWith(right))).status, 200);
      t.equal((await api.call('DELETE', `${edgelb}/${nameOf(right)}`)).status, 204);
    });
  t.same(await api.must('GET', edgelb), [], 'nothing refused is kept');
});

function nameOf(right: Parameters<typeof poolWith>[0]): string {
  return String(poolWith(right)['name']);
}
