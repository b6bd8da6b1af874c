/**
 * Whether a client takes an answer of one of these types (RFC 9110 §12.5.1). Weights only matter where they are 0, which
 * means "not this".
 */
export function accepts(header: string | undefined, ...types: readonly string[]): boolean {
  if (header === undefined || header.trim() === '') return true;
  const ranges = header.split(',').map(rangeOf);
  return types.some((type) => ranges.some(({ range, refused }) => !refused && covers(range, type)));
}

function rangeOf(text: string): { readonly range: string; readonly refused: boolean } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  return { range, refused: parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) };
}

function covers(range: string, type: string): boolean {
  return range === '*/*' || range === '*' || range === type || range === `${type.split('/')[0]}/*`;
}
