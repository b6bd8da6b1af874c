import type { BasicAuth } from '../model/route.ts';

export function words(text: string | undefined, separator: string | RegExp): readonly string[] {
  return (text ?? '')
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** The words that marathon-lb takes for yes. */
export function isTrue(value: string | undefined): boolean {
  return /^(true|t|yes|y)$/i.test(value ?? '');
}

/** The hosts of a list, without their ports, each once; `wrong`: words that are none. */
export function hostsOf(text: string | undefined): {
  readonly hosts: readonly string[];
  readonly wrong: readonly string[];
} {
  const all = words(text, ',').map((word) => word.toLowerCase().replace(/\.?(:\d{1,5})?$/, ''));
  const isHost = (word: string) => hostPattern.test(word);
  return { hosts: [...new Set(all.filter(isHost))], wrong: all.filter((word) => !isHost(word)) };
}

const hostPattern = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;

/** `realm:user:password`, the password as crypt(3) makes it. */
export function authOf(text: string): BasicAuth | undefined {
  const [, realm, user, crypted] = authPattern.exec(text) ?? [];
  if (realm === undefined || user === undefined || crypted === undefined) return undefined;
  return { realm, user, crypted };
}

/** At most 99 999 rounds: more would keep an edge from its work. */
const authPattern =
  /^([ !#-9;-[\]-~]+):([!-9;-~]+):(\$[56]\$(?:rounds=\d{4,5}\$)?[^$:\s]{0,16}\$[./0-9A-Za-z]{43,86})$/;
