import type { Slot } from './slots.ts';

/** The backends whose lines HAProxy names in what it says against a configuration. */
export function guiltySlots(alerts: string, text: string, slots: readonly Slot[]): readonly Slot[] {
  const lines = text.split('\n');
  const names = linesNamed(alerts).map((number) => backendAt(lines, number));
  return slots.filter(({ name, route }) => route !== undefined && names.includes(name));
}

/** The rules of chains whose lines HAProxy names: `o3_1`. */
export function guiltyRules(alerts: string, text: string): readonly string[] {
  const lines = text.split('\n');
  const named = linesNamed(alerts).flatMap(
    (number) => /\b(o\d+_\d+)/.exec(lines[number - 1] ?? '')?.[1] ?? [],
  );
  return [...new Set(named)];
}

function linesNamed(alerts: string): readonly number[] {
  return [...alerts.matchAll(/\[[^\]\s]*:(\d+)\]/g)].map(([, number]) => Number(number));
}

/** The one that a line is a part of; sections of its own are named after it. */
function backendAt(lines: readonly string[], number: number): string | undefined {
  for (let at = number - 1; at >= 0; at--) {
    const line = lines[at] ?? '';
    if (/^\S/.test(line)) return /^(?:backend|userlist) ([bt]k?\d+)/.exec(line)?.[1];
  }
  return undefined;
}
