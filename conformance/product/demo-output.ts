/** The lines that `weir dev --demo` says to try, without its remarks in brackets. */
export function linesToTry(output: string): readonly string[] {
  const part = output.slice(output.indexOf('Try:\n') + 5);
  return part
    .slice(0, part.indexOf('\n\n'))
    .split('\n')
    .map((line) => line.replace(/\s+\(.*\)$/, '').trim());
}
