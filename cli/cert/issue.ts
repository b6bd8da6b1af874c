import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { WeirError } from '../../core/kit/errors.ts';
import { leaf, print, printJson, sessionOf } from '../globals.ts';
import type { IssuanceInfo } from '../master/answers.ts';
import type { Master } from '../master/master.ts';
import { parseSeconds } from '../options/settings.ts';
import { startProgress } from '../show/progress.ts';
import { stateText } from './state.ts';

/** An authority did not issue, or not in time. */
class NotIssued extends WeirError {}

const everyMs = 300;

export function registerIssue(cert: Command): void {
  leaf(cert, 'issue', 'have an authority issue a certificate, and renew it from then on')
    .argument('<host...>', 'what it is for; every one must lead to an edge')
    .option('--name <name>', 'what to call it (default: the first host)')
    .option(
      '--challenge <type>',
      'how hosts are proved: http-01 (port 80) or tls-alpn-01 (port 443)',
      'http-01',
    )
    .option('--authority <name>', 'which authority', 'default')
    .option('--default', 'use it for clients that name no host, or one without a certificate')
    .option('--renew', 'have it issued anew though it has not come to its end')
    .option('--no-preflight', 'ask the authority without looking first whether it could issue')
    .option('--no-wait', 'do not wait until it is issued')
    .option('--timeout <seconds>', 'wait no longer than this', parseSeconds)
    .action(issue);
}

type Options = {
  readonly name?: string;
  readonly challenge: string;
  readonly authority: string;
  readonly default?: boolean;
  readonly renew?: boolean;
  readonly preflight: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
};

async function issue(hosts: readonly string[], options: Options, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const { name, challenge, authority, preflight } = options;
  const body = {
    ...{ hosts, challenge, authority, preflight },
    ...(name === undefined ? {} : { name }),
    ...(options.default ? { default: true } : {}),
    ...(options.renew ? { renew: true } : {}),
  };
  const wanted = await master.send<IssuanceInfo>('POST', '/v1/certificates/issue', { body });
  const issuance = options.wait ? await untilDone(master, wanted, options.timeout) : wanted;
  if (json) return printJson(issuance);
  print(`${issuance.name}: ${stateText(issuance)}`);
}

/** Resolves when it is issued. Throws NotIssued when it failed since, with the authority's or the preflight's own words. */
async function untilDone(master: Master, wanted: IssuanceInfo, timeoutMs?: number): Promise<IssuanceInfo> {
  const progress = startProgress();
  const startedAt = performance.now();
  try {
    for (let seen = wanted; ; ) {
      if (seen.state === 'issued') return seen;
      if (seen.state === 'failed') throw failure(seen);
      progress.say(`${seen.name}: ${stateText(seen)}`);
      if (performance.now() - startedAt > (timeoutMs ?? Number.POSITIVE_INFINITY))
        throw new NotIssued('WEIR_WAIT_TIMEOUT', `${seen.name} is not issued yet: ${stateText(seen)}`, {
          next: `It goes on. See "weir cert show ${seen.name}".`,
        });
      await pause(everyMs);
      const path = `/v1/certificates/${encodeURIComponent(seen.name)}`;
      seen = (await master.get<{ issuance: IssuanceInfo }>(path)).issuance;
    }
  } finally {
    progress.end();
  }
}

function failure({ name, lastFailure, nextTryAt }: IssuanceInfo): NotIssued {
  const { code = 'WEIR_ISSUANCE_FAILED', reason = '' } = lastFailure ?? {};
  return new NotIssued(code, `${name} is not issued: ${reason}`, {
    next: `It is tried again at ${nextTryAt}, and at once when this command is repeated. "weir cert rm ${name}" gives it up.`,
  });
}
