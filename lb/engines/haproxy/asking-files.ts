import { createHash } from 'node:crypto';
import { wildcardOf } from '../../edge/tls/given-certificates.ts';
import type { Asking } from './asking.ts';
import type { CertificateFile } from './certificate-files.ts';
import { fileOf } from './upstream-words.ts';

/** No hello has it: a line without a name would take those in its certificate. */
const nobody = 'nobody.invalid';

/** The same files, on lines of their own where clients of their hosts are asked. The first stays the first, for hellos of no known name. */
export function askingFiles(files: readonly CertificateFile[], asking: Asking): readonly CertificateFile[] {
  const [first] = files;
  if (asking.hosts.length === 0 || first === undefined) return files;
  const lines = new Map<string, CertificateFile>();
  const put = (file: CertificateFile, host: string, hosts: readonly string[]) => {
    const line = lineOf(file, asking.authoritiesOf(host));
    const known = lines.get(line.name) ?? line;
    lines.set(line.name, { ...known, hosts: [...known.hosts, ...hosts] });
  };
  put(first, '*', []);
  const owners = new Map<string, CertificateFile>();
  for (const file of files)
    for (const host of file.hosts) {
      owners.set(host, file);
      put(file, host, [host]);
    }
  // Each host that asks has a line, so that no other host's decides for it.
  for (const host of asking.hosts)
    if (host !== '*' && !owners.has(host)) put(owners.get(wildcardOf(host)) ?? first, host, [host]);
  return [...lines.values()].map((line) => (line.hosts.length === 0 ? { ...line, hosts: [nobody] } : line));
}

/** Each file is on one line of a list, where commands find it. */
function lineOf({ name, pem }: CertificateFile, authorities: string | undefined): CertificateFile {
  if (authorities === undefined) return { name, pem, hosts: [] };
  const own = createHash('sha1').update(`${name} ${authorities}`).digest('hex').slice(0, 16);
  return { name: `c${own}.pem`, pem, hosts: [], authorities: fileOf('k', authorities) };
}
