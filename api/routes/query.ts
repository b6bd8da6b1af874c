/** Marathon §1.2: any spelling of `true`; a bare parameter and everything else is false. */
export function isTrue(value: string | readonly string[] | undefined): boolean {
  return typeof value === 'string' && value.toLowerCase() === 'true';
}
