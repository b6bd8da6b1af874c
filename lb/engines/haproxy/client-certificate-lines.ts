import type { CertificateFields, RouteOptions } from '../../../core/model/route.ts';
import { misdirected } from './misdirection-lines.ts';
import { answer } from './page-lines.ts';
import { word } from './words.ts';

const page = {
  status: 403,
  why: 'certificate',
  text: 'The service asks for a client certificate of an authority that it knows.',
};

/**
 * Nothing is wrong with it, nor with who signed it, but that an authority may itself be signed by another, whom nobody named
 * (X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, 2): the first fault of the certificate, the first of an authority, and the last of all.
 */
const isVerified = '{ ssl_c_used 1 } { ssl_c_err 0 } { ssl_c_ca_err 0 2 } { ssl_c_verify 0 2 }';

/**
 * Which certificates of clients pass. HAProxy verifies them while it is greeted, by the name it hears (asking.ts): a request for another
 * name is one of a client who was not asked, or not for a certificate of these authorities.
 */
export function certificateLines({ clientCertificate }: RouteOptions): readonly string[] {
  if (clientCertificate === undefined) return [];
  const { optional = false, field = 'X-Client-Subject', fields = {} } = clientCertificate;
  const told: readonly (readonly [string, string])[] = [
    [field, 'ssl_c_s_dn(,0,rfc2253)'],
    ...tellable.flatMap(([what, fetch]) =>
      fields[what] === undefined ? [] : [[fields[what], fetch] as const],
    ),
  ];
  const isOwn = '{ var(txn.sni),strcmp(txn.host) eq 0 }';
  return [
    ...answer(misdirected, `if { var(txn.sni) -m found } !${isOwn} !{ var(txn.trusts) -m found }`),
    `http-request set-var(txn.accepted) bool(true) if ${isOwn} ${isVerified}`,
    ...(optional ? [] : answer(page, 'unless { var(txn.accepted) -m found }')),
    // What clients say of it by themselves; servers that make variables of fields take the one for the other.
    ...told
      .flatMap(([name]) => [name, name.replaceAll('-', '_')])
      .map((name) => `http-request del-header ${word(name)}`),
    ...told.map(
      ([name, fetch]) =>
        `http-request set-header ${word(name)} %[${fetch}] if { var(txn.accepted) -m found }`,
    ),
  ];
}

const tellable = [
  ['issuer', 'ssl_c_i_dn(,0,rfc2253)'],
  ['serial', 'ssl_c_serial,hex'],
  ['fingerprint', 'ssl_c_der,sha2(256),hex'],
  ['certificate', 'ssl_c_der,base64'],
] as const satisfies readonly (readonly [keyof CertificateFields, string])[];
