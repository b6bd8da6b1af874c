import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { errorText } from '../../core/kit/errors.ts';
import { type DnsSettings, readDnsSettings } from '../../dns/settings.ts';

/** For commander: a file of settings for the resolver. */
export function parseDnsSettings(path: string): DnsSettings {
  const read = readDnsSettings(jsonOf(path));
  if (read.kind === 'settings') return read.settings;
  throw new InvalidArgumentError(`${path}:\n  ${read.faults.join('\n  ')}`);
}

function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InvalidArgumentError(`cannot read ${path}: ${errorText(error)}`);
  }
}
