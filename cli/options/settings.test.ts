import t from 'tap';
import { attributeText } from './settings.ts';

t.test('attributes are compared in one form: scalars, ranges and sets as Marathon prints them', async (t) => {
  for (const [given, text] of [
    ['4', '4'],
    ['4.0', '4'],
    ['0.12549', '0.125'],
    ['[7-9, 1-5]', '[1-5,7-9]'],
    ['{b, a}', '{a,b}'],
    ['rack-1', 'rack-1'],
    ['1.2.3', '1.2.3'],
    ['[x]', '[x]'],
    ['', ''],
  ] as const)
    t.equal(attributeText(given), text, given);
});
