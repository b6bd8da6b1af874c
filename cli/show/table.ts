import { stripVTControlCharacters } from 'node:util';
import { styled } from './style.ts';

export type Column<Row> = {
  readonly head: string;
  readonly of: (row: Row) => string;
  /** For numbers: right-aligned. */
  readonly right?: boolean;
};

/** Lines of a table, its head first; two blanks between columns, none at the end of a line. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map((column) => column.of(row)));
  const heads = columns.map((column) => column.head);
  const widths = columns.map((_, index) => Math.max(...[heads, ...cells].map((line) => width(line[index]!))));
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => pad(text, widths[index]!, columns[index]!.right === true))
      .join('  ')
      .trimEnd();
  return [heads.map((head) => styled('bold', head)), ...cells].map(line).join('\n');
}

/** `name   value` lines; those without a value are left out. */
export function facts(pairs: readonly (readonly [name: string, value: string | undefined])[]): string {
  const given = pairs.filter(([, value]) => value !== undefined && value !== '');
  const left = Math.max(0, ...given.map(([name]) => name.length));
  return given
    .map(([name, value]) => `  ${styled('dim', name.padEnd(left))}  ${indented(value ?? '', left + 4)}`)
    .join('\n');
}

function indented(text: string, by: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(by)}`);
}

function pad(text: string, to: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, to - width(text)));
  return right ? blanks + text : text + blanks;
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
