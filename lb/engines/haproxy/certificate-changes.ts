import { type CertificateFile, listLine } from './certificate-files.ts';
import type { CertificateLists } from './certificate-keeper.ts';

/**
 * Commands that make HAProxy use these; undefined: there is another list, or the first of one is another, or clients are asked for
 * certificates of others, which only a new configuration can say.
 */
export function certificateCommands(
  before: CertificateLists,
  after: CertificateLists,
): readonly string[] | undefined {
  if (before.size !== after.size) return undefined;
  for (const [list, files] of after) if (before.get(list)?.[0]?.name !== files[0]?.name) return undefined;
  if (authoritiesOf(before).symmetricDifference(authoritiesOf(after)).size > 0) return undefined;
  const [known, wanted] = [filesOf(before), filesOf(after)];
  return [
    ...[...wanted.values()].flatMap((file) => given(known.get(file.name), file)),
    ...[...after].flatMap(([list, files]) => listed(list, before.get(list) ?? [], files)),
    ...[...known.keys()].filter((name) => !wanted.has(name)).map((name) => `del ssl cert ${name}`),
  ];
}

/** Every file once, whatever lists it is on. */
export function filesOf(lists: CertificateLists): ReadonlyMap<string, CertificateFile> {
  return new Map([...lists.values()].flat().map((file) => [file.name, file]));
}

/** The names of their files. */
function authoritiesOf(lists: CertificateLists): ReadonlySet<string> {
  return new Set([...lists.values()].flat().flatMap(({ authorities }) => authorities?.name ?? []));
}

function given(known: CertificateFile | undefined, { name, pem }: CertificateFile): readonly string[] {
  const content = [`set ssl cert ${name} <<\n${pem}`, `commit ssl cert ${name}`];
  if (known === undefined) return [`new ssl cert ${name}`, ...content];
  return known.pem === pem ? [] : content;
}

function listed(
  list: string,
  before: readonly CertificateFile[],
  after: readonly CertificateFile[],
): readonly string[] {
  const [known, wanted] = [linesOf(before), linesOf(after)];
  return [
    ...[...known]
      .filter(([name, line]) => wanted.get(name) !== line)
      .map(([name]) => `del ssl crt-list ${list} ${name}`),
    ...[...wanted]
      .filter(([name, line]) => known.get(name) !== line)
      .map(([, line]) => `add ssl crt-list ${list} <<\n${line}\n`),
  ];
}

function linesOf(files: readonly CertificateFile[]): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file.name, listLine(file)]));
}
