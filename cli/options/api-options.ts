import { type Command, InvalidArgumentError, Option } from 'commander';
import { joinOptions } from '../compose/join-secret.ts';
import { atLeastOne } from './numbers.ts';

export type ApiFlags = {
  credentials?: string;
  httpRealm: string;
  httpMaxConcurrentRequests?: number;
  joinSecret?: string;
};

/** Who may use the API, and how many at once: for masters. Without them it is open to everyone who reaches it. */
export function accessOptions(command: Command): Command {
  return joinOptions(command)
    .addOption(credentialsOption('the API asks for them (basic authentication)'))
    .addOption(
      new Option('--http-realm <name>', 'what the API calls itself when it asks for credentials')
        .env('WEIR_HTTP_REALM')
        .default('Weir'),
    )
    .addOption(
      new Option('--http-max-concurrent-requests <n>', 'more requests than so many at once are answered 503')
        .env('WEIR_HTTP_MAX_CONCURRENT_REQUESTS')
        .argParser(atLeastOne),
    );
}

/** The variable keeps the password out of the list of processes. */
export function credentialsOption(what: string): Option {
  return new Option('--credentials <user:password>', what)
    .env('WEIR_CREDENTIALS')
    .argParser(parseCredentials);
}

/** As `MasterSettings` and `DevSettings` have them. */
export function accessOf({
  credentials,
  httpRealm: realm,
  httpMaxConcurrentRequests: most,
  joinSecret,
}: ApiFlags) {
  return {
    ...(joinSecret === undefined ? {} : { joinSecret }),
    ...(credentials === undefined ? {} : { authentication: { credentials, realm } }),
    ...(most === undefined ? {} : { mostRequests: most }),
  };
}

function parseCredentials(text: string): string {
  if (/^[^:]+:./.test(text)) return text;
  throw new InvalidArgumentError('expected USER:PASSWORD');
}
