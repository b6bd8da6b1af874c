import type { Command } from 'commander';
import { readText } from '../app/definition.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { AuthorityInfo } from '../master/answers.ts';
import { table } from '../show/table.ts';

/** Directories that need not be written out. */
const known: Readonly<Record<string, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
};

export function registerAuthority(cert: Command): void {
  const authority = group(cert, 'authority', 'name the authorities that issue certificates (ACME)');
  leaf(authority, 'add', 'use an authority from now on')
    .argument('<directory>', `URL of its ACME directory, or ${Object.keys(known).join(', ')}`)
    .requiredOption('--agree-terms', "you agree to the authority's terms of service")
    .option('--name <name>', 'what to call it', 'default')
    .option('--email <address>', 'where it may write to')
    .option('--eab-key-id <id>', 'the account that it knows already: its id')
    .option('--eab-key-file <file>', 'and its key, in base64url')
    .option('--trust <file>', "PEM: who signed its API's certificate (default: whom this system trusts)")
    .option(
      '--resolver <address:port>',
      'who is asked for names before it is (default: the resolver of the master)',
    )
    .action(add);
  leaf(authority, 'list', 'list authorities').action(list);
  leaf(authority, 'rm', 'forget an authority').argument('<name>').action(remove);
}

type AddOptions = {
  readonly name: string;
  readonly email?: string;
  readonly eabKeyId?: string;
  readonly eabKeyFile?: string;
  readonly trust?: string;
  readonly resolver?: string;
};

async function add(directory: string, options: AddOptions, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const { name, email, eabKeyId: keyId, eabKeyFile, trust, resolver } = options;
  const key = eabKeyFile && (await readText(eabKeyFile)).trim();
  const body = {
    ...{ directory: known[directory] ?? directory, agreeTerms: true },
    ...(email && { contact: email }),
    ...((keyId ?? key) && { externalAccount: { keyId, key } }),
    ...(trust && { trust: await readText(trust) }),
    ...(resolver && { resolver }),
  };
  const added = await master.send<AuthorityInfo>('PUT', pathOf(name), { body });
  if (json) return printJson(added);
  print(`${added.name} is ${added.directory}`);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<{ authorities: readonly AuthorityInfo[] }>('/v1/authorities');
  if (json) return printJson(answer);
  const { authorities } = answer;
  if (authorities.length === 0)
    return print('No authorities yet. Add one with: weir cert authority add letsencrypt --agree-terms');
  print(
    table<AuthorityInfo>(
      [
        { head: 'NAME', of: ({ name }) => name },
        { head: 'DIRECTORY', of: (one) => one.directory },
        { head: 'CONTACT', of: ({ contact = '-' }) => contact },
        { head: 'ACCOUNT', of: ({ account = 'not registered yet' }) => account },
      ],
      authorities,
    ),
  );
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  await master.send('DELETE', pathOf(name));
  if (json) return printJson(null);
  print(`${name} is forgotten`);
}

function pathOf(name: string): string {
  return `/v1/authorities/${encodeURIComponent(name)}`;
}
