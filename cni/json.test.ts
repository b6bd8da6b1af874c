import fc from 'fast-check';
import t from 'tap';
import { parseJson } from './json.ts';

t.test('json keeps the digits of numbers that a double cannot hold (R18)', async (t) => {
  const text = '{"id":9007199254740993,"deep":[{"rate":0.1234567890123456789}],"plain":12}';
  t.equal(JSON.stringify(parseJson(text)), text);
});

t.test('json reads and writes any value to the same text', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      return JSON.stringify(parseJson(text)) === text;
    }),
  );
});

t.test('json keeps any whole number', async () => {
  fc.assert(fc.property(fc.bigInt(), (value) => JSON.stringify(parseJson(`[${value}]`)) === `[${value}]`));
});
