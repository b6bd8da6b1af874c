import { RE2JS } from 're2js';

/**
 * Whether a regular expression matches a whole text; undefined: it is not one. In time linear in the text where its form
 * allows that; forms that need going back (look-around, references), which Java's dialect has too, are matched by trying.
 */
export function wholeMatcher(pattern: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(text);
  } catch {
    return byTrying(pattern);
  }
}

function byTrying(pattern: string): ((text: string) => boolean) | undefined {
  try {
    const compiled = new RegExp(`^(?:${pattern})$`);
    return (text) => compiled.test(text);
  } catch {
    return undefined;
  }
}

/** Whether a regular expression is found anywhere in a text; undefined: it is not one. */
export function anywhereMatcher(pattern: string): ((text: string) => boolean) | undefined {
  return wholeMatcher(`[\\s\\S]*(?:${pattern})[\\s\\S]*`);
}
