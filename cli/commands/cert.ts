import type { Command } from 'commander';
import { readText } from '../app/definition.ts';
import { registerAuthority } from '../cert/authority.ts';
import { registerIssue } from '../cert/issue.ts';
import { stateText } from '../cert/state.ts';
import { registerTrust } from '../cert/trust.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { CertificateAnswer, CertificateInfo, CertificatesAnswer } from '../master/answers.ts';
import { inForceText } from '../show/in-force.ts';
import { facts, table } from '../show/table.ts';

export function register(program: Command): void {
  const cert = group(program, 'cert', 'give the edges certificates for public hosts');
  leaf(cert, 'add', 'check a certificate and its key, keep them, and use them on every edge')
    .argument('<name>', 'what to call it')
    .requiredOption('--cert <file>', "PEM: the server's certificate, then those that lead to its authority")
    .option('--key <file>', 'PEM: its private key (default: it is in the same file)')
    .option('--default', 'use it for clients that name no host, or one without a certificate')
    .option('--replace', 'take the place of the certificate of the same name')
    .action(add);
  registerIssue(cert);
  registerAuthority(cert);
  registerTrust(cert);
  leaf(cert, 'list', 'list certificates and when they expire').action(list);
  leaf(cert, 'show', 'show one certificate').argument('<name>').action(show);
  leaf(cert, 'rm', 'remove a certificate').argument('<name>').action(remove);
}

type AddOptions = {
  readonly cert: string;
  readonly key?: string;
  readonly default?: boolean;
  readonly replace?: boolean;
};

async function add(name: string, options: AddOptions, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const body = {
    name,
    certificate: await readText(options.cert),
    ...(options.key === undefined ? {} : { key: await readText(options.key) }),
    ...(options.default ? { default: true } : {}),
  };
  const added = options.replace
    ? await master.send<CertificateInfo>('PUT', pathOf(name), { body })
    : await master.send<CertificateInfo>('POST', '/v1/certificates', { body });
  if (json) return printJson(added);
  print(`${name} is for ${added.hosts.join(', ')} and expires on ${added.notAfter.slice(0, 10)}`);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<CertificatesAnswer>('/v1/certificates');
  if (json) return printJson(answer);
  const { certificates, pending = [] } = answer;
  if (certificates.length + pending.length === 0)
    return print('No certificates yet. Add one with: weir cert add NAME --cert FILE --key FILE');
  const states = [...certificates.flatMap(({ issuance }) => issuance ?? []), ...pending];
  const warnings = certificates.flatMap(({ name, warning }) => (warning ? [`${name} ${warning}`] : []));
  const issued = states.map((issuance) => `${issuance.name}: ${stateText(issuance)}`);
  print([certificateTable(certificates), ...issued, ...warnings, '', inForceText(answer)].join('\n'));
}

async function show(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<CertificateAnswer>(pathOf(name));
  if (json) return printJson(answer);
  print(`${name}${answer.default ? ' (default)' : ''}`);
  print(
    facts([
      ['hosts', answer.hosts.join(', ')],
      ['subject', answer.subject?.replaceAll('\n', ', ')],
      ['issuer', answer.issuer?.replaceAll('\n', ', ')],
      ['key', answer.keyType],
      ['serial', answer.serialNumber],
      ['sha256', answer.fingerprint256],
      [
        'valid',
        answer.notAfter && `${answer.notBefore} to ${answer.notAfter} (${answer.daysLeft} days left)`,
      ],
      ['warning', answer.warning],
      ['authority', answer.issuance && `${answer.issuance.authority}, by ${answer.issuance.challenge}`],
      ['state', answer.issuance && stateText(answer.issuance)],
    ]),
  );
  print(`\n${inForceText(answer)}`);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`${name} is removed`);
}

function certificateTable(certificates: readonly CertificateInfo[]): string {
  return table<CertificateInfo>(
    [
      { head: 'NAME', of: ({ name, default: isDefault }) => (isDefault ? `${name} (default)` : name) },
      { head: 'HOSTS', of: ({ hosts }) => hosts.join(' ') },
      { head: 'KEY', of: ({ keyType }) => keyType },
      { head: 'EXPIRES', of: ({ notAfter }) => notAfter.slice(0, 10) },
      { head: 'DAYS LEFT', right: true, of: ({ daysLeft }) => String(daysLeft) },
    ],
    certificates.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  );
}

function pathOf(name: string): string {
  return `/v1/certificates/${encodeURIComponent(name)}`;
}
