import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { systemClock } from '../../core/kit/clock.ts';
import { WeirError } from '../../core/kit/errors.ts';
import { run, tryRun } from '../../core/kit/exec.ts';
import { leaf, print } from '../globals.ts';
import { defaults } from '../options/settings.ts';

/** Where Debian looks for authorities of the machine's own; its tool puts them into the store. */
const systemFile = '/usr/local/share/ca-certificates/weir-development.crt';
const systemTool = 'update-ca-certificates';
const nickname = 'Weir development authority';

export function registerTrust(cert: Command): void {
  leaf(cert, 'trust', 'have this machine trust the development authority of a data folder')
    .addOption(new Option('--data <dir>', "the agent's data folder").env('WEIR_DATA').default(defaults.data))
    .option('--print', 'print the certificate of the authority, change nothing')
    .option('--remove', 'trust it no longer')
    .action(trust);
}

type Options = { readonly data: string; readonly print?: true; readonly remove?: true };

async function trust(options: Options): Promise<void> {
  if (options.remove) return report(await forgetSystem(), await forgetBrowsers(), 'no longer trusts it');
  const file = await authorityFile(options.data);
  if (options.print) return print((await readFile(file, 'utf8')).trim());
  report(await trustSystem(file), await trustBrowsers(file), 'trusts it');
}

/** Made now when nobody has asked for HTTPS yet. */
async function authorityFile(data: string): Promise<string> {
  const { DevelopmentAuthority } = await import('../../lb/edge/tls/authority.ts');
  const authority = new DevelopmentAuthority({ clock: systemClock }, { folder: join(data, 'authority') });
  await authority.certificate('localhost');
  return authority.certificateFile;
}

function report(system: boolean, browsers: boolean, what: string): void {
  if (!system && !browsers)
    throw new WeirError('WEIR_TRUST_REFUSED', 'Cannot change whom this machine trusts: that needs root', {
      next: 'Run it with sudo, or take it from "weir cert trust --print" to where it is wanted (curl --cacert).',
    });
  if (system) print(`This system ${what}: curl, wget, git and so on.`);
  else print('The system itself does not know of it: that needs root.');
  if (browsers) print(`Chromium of this user ${what}, from its next start.`);
}

async function trustSystem(file: string): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  await copyFile(file, systemFile);
  await run(systemTool, []);
  return true;
}

async function forgetSystem(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  await rm(systemFile, { force: true });
  await run(systemTool, ['--fresh']);
  return true;
}

/** Browsers have a store of their own; certutil (libnss3-tools) writes it. */
async function trustBrowsers(file: string): Promise<boolean> {
  await forgetBrowsers();
  const folder = browserFolder();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return isDone(['-d', `sql:${folder}`, '-A', '-t', 'C,,', '-n', nickname, '-i', file]);
}

function forgetBrowsers(): Promise<boolean> {
  return isDone(['-d', `sql:${browserFolder()}`, '-D', '-n', nickname]);
}

function browserFolder(): string {
  return join(homedir(), '.pki', 'nssdb');
}

async function isDone(args: readonly string[]): Promise<boolean> {
  const ran = await tryRun('certutil', args).catch(() => undefined);
  return ran?.exitCode === 0;
}
