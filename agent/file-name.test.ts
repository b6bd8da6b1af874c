import fc from 'fast-check';
import t from 'tap';
import { fileName } from './file-name.ts';

t.test('a file name is the id itself where that is short and plain', async (t) => {
  t.equal(fileName('shop_web.instance-0a1b.2'), 'shop_web.instance-0a1b.2');
});

t.test('a file name is plain, short and different for different ids', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
      const names = [fileName(one), fileName(other)];
      const plain = names.every((name) => /^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/.test(name));
      return plain && (one === other) === (names[0] === names[1]);
    }),
  );
});
