import { createHash } from 'node:crypto';
import type { Certificate } from '../../../core/model/certificate.ts';
import type { RouteOptions, UpstreamTls } from '../../../core/model/route.ts';
import type { ShapeFile } from './sections.ts';
import { word } from './words.ts';

type Certificates = ReadonlyMap<string, Certificate>;

/** How endpoints are spoken to, as options of servers; checks speak so too. */
export function speechOf(
  { protocol, tls, sendProxy, check }: Pick<RouteOptions, 'protocol' | 'tls' | 'sendProxy' | 'check'>,
  certificates: Certificates,
): { readonly words: readonly string[]; readonly files: readonly ShapeFile[] } {
  const files = tls === undefined ? [] : filesOf(tls, certificates);
  const isChecked = check !== undefined;
  return {
    words: [
      ...(protocol === 'h2' ? ['alpn h2', ...(check?.path === undefined ? [] : ['check-alpn h2'])] : []),
      ...(protocol === 'h2c' ? ['proto h2', ...(check?.path === undefined ? [] : ['check-proto h2'])] : []),
      ...(tls === undefined ? [] : [...tlsWords(tls, files), ...(isChecked ? ['check-ssl'] : [])]),
      ...(sendProxy === undefined
        ? []
        : [sendProxy === 'v2' ? 'send-proxy-v2' : 'send-proxy', ...(isChecked ? ['check-send-proxy'] : [])]),
    ],
    files: files.map(({ file }) => file),
  };
}

type TlsFile = { readonly use: 'ca-file' | 'crt'; readonly file: ShapeFile };

function tlsWords(
  { serverName, insecure, authorities }: UpstreamTls,
  files: readonly TlsFile[],
): readonly string[] {
  const name = serverName === undefined ? [] : [`sni ${word(`str(${serverName})`)}`];
  const named = files.map(({ use, file }) => `${use} ${file.name}`);
  const known = authorities === undefined ? ['ca-file @system-ca'] : [];
  const verified =
    insecure === true
      ? ['verify none']
      : [
          'verify required',
          ...known,
          ...(serverName === undefined ? [] : [`verifyhost ${word(serverName)}`]),
        ];
  return ['ssl', 'ssl-min-ver TLSv1.2', ...verified, ...named, ...name];
}

function filesOf(
  { authorities, insecure, certificate }: UpstreamTls,
  certificates: Certificates,
): readonly TlsFile[] {
  const shown = certificate === undefined ? undefined : certificates.get(certificate);
  return [
    ...(authorities === undefined || insecure === true
      ? []
      : [{ use: 'ca-file', file: fileOf('a', authorities) } as const]),
    ...(shown === undefined
      ? []
      : [{ use: 'crt', file: fileOf('u', `${shown.chain}\n${shown.key}\n`) } as const]),
  ];
}

/** Named by what is in it: another content is another file. */
export function fileOf(prefix: string, text: string): ShapeFile {
  return { name: `${prefix}${createHash('sha256').update(text).digest('hex').slice(0, 20)}.pem`, text };
}
