import fc from 'fast-check';
import t from 'tap';
import { arbitraryApp as app } from '../testing/arbitrary-app.ts';
import { parseApp, parseUpdate } from './parse-app.ts';
import { renderDefinition } from './render-app.ts';

/** A kind of JSON value that no field of the same kind takes. */
const kindOf = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
const wrong: readonly unknown[] = [[], { '': [] }, '\0', 1.5, true];

t.test('a definition that was shown is read back as the same definition', async (t) => {
  fc.assert(
    fc.property(app, (input) => {
      const parsed = parseApp(input);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
      const shown = JSON.parse(JSON.stringify(renderDefinition(parsed.value)));
      t.strictSame(parseApp(shown), parsed);
      t.strictSame(parseUpdate({}, shown, parsed.value.id), parsed);
      t.strictSame(renderDefinition(parsed.value), shown);
    }),
  );
});

t.test('any JSON at all is answered, and refused unless it is an app', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const parsed = parseApp(json);
      t.ok(parsed.ok === false && parsed.status === 422);
    }),
  );
});

t.test('a definition with one value of another kind in it is refused at that place', async (t) => {
  fc.assert(
    fc.property(app, fc.nat(), fc.constantFrom(...wrong), (input, choice, other) => {
      const places = placesIn(input).filter(({ value }) => kindOf(value) !== kindOf(other));
      const place = places[choice % places.length]!;
      const parsed = parseApp(replaced(input, place.keys, other));
      if (parsed.ok) throw new Error(`${place.keys.join('/')} = ${JSON.stringify(other)} was taken`);
      const details = Array.isArray(parsed.body.details) ? parsed.body.details : [];
      t.ok(
        details.some(({ path }) => path.startsWith(pathOf(place.keys))),
        `${pathOf(place.keys)} is named in ${JSON.stringify(details)}`,
      );
    }),
    { numRuns: 500 },
  );
});

type Place = { readonly keys: readonly (string | number)[]; readonly value: unknown };

/** Every value inside that has a type of its own: all but the two that take several. */
function placesIn(value: unknown, keys: readonly (string | number)[] = []): readonly Place[] {
  const isEither = keys[0] === 'unreachableStrategy' || keys[0] === 'env';
  const own = keys.length === 0 || isEither ? [] : [{ keys, value }];
  if (typeof value !== 'object' || value === null) return own;
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...own, ...inside.flatMap(([key, one]) => placesIn(one, [...keys, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value))
    return value.map((one, index) => (index === key ? replaced(one, rest, other) : one));
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [key]: replaced(fields[key], rest, other) };
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => (typeof key === 'number' ? `(${key})` : `/${key}`)).join('');
}
