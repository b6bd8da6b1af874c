export type Field = readonly [name: string, value: string];

/** RFC 9110 §7.6.1, written down once more: the edge's own list is what is on trial. */
export const ofOneHop =
  /^(connection|keep-alive|proxy-connection|proxy-authenticate|proxy-authorization|te|upgrade|http2-settings)$/i;

/** What a service may take for another field: of the names that the edge knows, those with an underscore; and `Proxy`. */
export function isImpostor(name: string): boolean {
  return /^proxy$/i.test(name) || (name.includes('_') && owned.test(name.replaceAll('_', '-')));
}

const owned =
  /^(content-(length|type|encoding)|transfer-encoding|keep-alive|proxy-(connection|authenticate|authorization)|x-forwarded-(for|host|port|proto)|x-request-id|http2-settings|strict-transport-security|accept-ranges|cache-control)$/i;

/** Two lists, but for where and how Host, a length and a coding are written: odd ones are written anew, in another place. */
export function sameMessage(some: readonly Field[], others: readonly Field[]): boolean {
  const isMoved = ([name]: Field) => moved.test(name);
  const rest = (fields: readonly Field[]) => fields.filter((field) => !isMoved(field));
  const meaning = (fields: readonly Field[]) => fields.filter(isMoved).map(meaningOf).sort().join();
  return sameFields(rest(some), rest(others)) && meaning(some) === meaning(others);
}

const moved = /^(host|content-length|transfer-encoding)$/i;

function meaningOf([name, value]: Field): string {
  const kind = name.toLowerCase();
  if (kind === 'content-length') return `${kind} ${Number(value)}`;
  return kind === 'host' ? `${kind} ${value}` : `${kind} ${value.toLowerCase()}`;
}

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
