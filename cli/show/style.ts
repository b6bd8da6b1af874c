import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Styled only where standard output is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
