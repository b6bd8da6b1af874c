export type Field = readonly [name: string, value: string];

/** RFC 9110 §7.6.1, written down once more: the edge's own list is what is on trial. */
export const ofOneHop =
  /^(connection|keep-alive|proxy-connection|proxy-authenticate|proxy-authorization|te|upgrade|http2-settings)$/i;

/** Without the fields that a Connection field names. */
export function withoutNamed(fields: readonly Field[]): readonly Field[] {
  const options = fields.filter(([name]) => /^connection$/i.test(name)).map(([, value]) => value);
  const named = options
    .join(',')
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  return fields.filter(([name]) => !named.includes(name.toLowerCase()));
}

export function sameFields(some: readonly Field[], others: readonly Field[]): boolean {
  return (
    some.length === others.length &&
    some.every(([name, value], n) => name === others[n]![0] && value === others[n]![1])
  );
}

export function show(fields: readonly Field[]): string {
  return JSON.stringify(fields).slice(0, 400);
}
