import { type CertificateFile, listLine } from './certificate-files.ts';
import { fileNames } from './configuration.ts';

/** Commands that make HAProxy use these files; undefined: the first is another one, which only a new configuration can say. */
export function certificateCommands(
  before: readonly CertificateFile[],
  after: readonly CertificateFile[],
): readonly string[] | undefined {
  if (before[0]?.name !== after[0]?.name) return undefined;
  const known = new Map(before.map((file) => [file.name, file]));
  const kept = new Set(after.map(({ name }) => name));
  const given = after.flatMap((file) => {
    const present = known.get(file.name);
    if (present === undefined) return [`new ssl cert ${file.name}`, ...content(file), listed(file)];
    const changed = present.pem === file.pem ? [] : content(file);
    if (listLine(present) === listLine(file)) return changed;
    return [...changed, unlisted(file), listed(file)];
  });
  const taken = before
    .filter(({ name }) => !kept.has(name))
    .flatMap((file) => [unlisted(file), `del ssl cert ${file.name}`]);
  return [...given, ...taken];
}

function content({ name, pem }: CertificateFile): readonly string[] {
  return [`set ssl cert ${name} <<\n${pem}`, `commit ssl cert ${name}`];
}

function listed(file: CertificateFile): string {
  return `add ssl crt-list ${fileNames.certificates} <<\n${listLine(file)}\n`;
}

function unlisted({ name }: CertificateFile): string {
  return `del ssl crt-list ${fileNames.certificates} ${name}`;
}
