import fc from 'fast-check';

/** As much of JSON Schema as the readers use. */
export type Schema = {
  readonly type?: string;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
};

/** Few of the optional fields at a time: with all of them nothing would ever be right. */
export function sparse(schema: Schema, fixed: object): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {});
  return fc
    .tuple(ofSchema({ ...schema, required: names }), fc.subarray(names, { maxLength: 3 }))
    .map(([value, kept]) =>
      typeof value === 'object' && value !== null
        ? { ...fixed, ...Object.fromEntries(Object.entries(value).filter(([name]) => kept.includes(name))) }
        : value,
    );
}

/** Values that the type level of a schema takes, and now and then one beside it. */
function ofSchema(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const wrong = fc.constantFrom<unknown>(null, '', 'x', 0, -1, 1e9, true, [], {}, 'http://a/b.tgz', '/x/a');
  return fc.oneof({ arbitrary: plainOf(schema, depth), weight: 12 }, { arbitrary: wrong, weight: 1 });
}

function plainOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (depth > 5) return fc.constant(undefined);
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((each) => ofSchema(each, depth)));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'string')
    return schema.pattern === undefined
      ? fc.constantFrom('x', '/x/a', '*', 'path', 'LIKE', 'a b', 'dvdi', 'ROOT')
      : fc.stringMatching(new RegExp(schema.pattern), { maxLength: 12 });
  if (schema.type === 'integer' || schema.type === 'number') {
    const min = Math.ceil(schema.minimum ?? -2);
    return fc.integer({ min, max: Math.min(schema.maximum ?? 99, min + 9) });
  }
  if (schema.type === 'array') return fc.array(ofSchema(schema.items ?? {}, depth + 1), { maxLength: 2 });
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties).map(([name, field]) => [
      name,
      ofSchema(field, depth + 1),
    ]);
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: [...(schema.required ?? [])],
    });
  }
  if (schema.additionalProperties !== undefined)
    return fc.dictionary(
      fc.constantFrom('a', 'MARATHON_SINGLE_INSTANCE_APP', 'x'),
      ofSchema(schema.additionalProperties, depth + 1),
      { maxKeys: 2 },
    );
  return fc.constantFrom<unknown>({ a: 1 }, 'x', undefined);
}
