/** Whether a client would rather have JSON than a text for people: it names JSON, and prefers no text to it. */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes('json')) return false;
  let json = 0;
  let text = 0;
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';').map((one) => one.trim());
    const q = quality(parameters);
    if (type === 'application/json' || type === 'application/problem+json') json = Math.max(json, q);
    if (type.startsWith('text/')) text = Math.max(text, q);
  }
  return json > 0 && json >= text;
}

/** RFC 9110 §12.4.2. */
function quality(parameters: readonly string[]): number {
  const text = parameters.find((one) => one.startsWith('q='))?.slice(2);
  const q = text === undefined ? 1 : Number(text);
  return Number.isFinite(q) ? q : 0;
}
