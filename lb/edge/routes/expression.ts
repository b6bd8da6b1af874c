import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';

/** An expression whose time grows with the text only. Loaded with the first: an edge without any need not spend 12 MB. Throws on bad ones. */
export function expression(source: string, ignoreCase = false): RE2JS {
  const library: typeof import('re2js') = createRequire(import.meta.url)('re2js');
  return library.RE2JS.compile(source, ignoreCase ? library.RE2JS.CASE_INSENSITIVE : 0);
}
