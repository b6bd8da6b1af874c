import { isObject, type JsonObject } from '../json.ts';
import { formatResult } from '../result/format.ts';
import { parseResult } from '../result/parse.ts';
import type { CniResult } from '../result/result.ts';
import { KNOWN_VERSIONS, requireVersion } from '../versions.ts';

/** What the recording plugin is told for one command: `{ "type": "noop", "noop": { "ADD": { … } } }`. */
export type NoopStep = {
  /** Result of ADD; without it the previous result, or one address for the first plugin. */
  readonly result?: CniResult;
  /** Answer in this version, whatever was asked. */
  readonly version?: string;
  readonly fail?: { readonly code: number; readonly msg: string; readonly details?: string };
  /** Written to standard output as it is. */
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Never answers. */
  readonly hang?: boolean;
};

export type NoopAnswer = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export const NOOP_RESULT: CniResult = {
  interfaces: [],
  ips: [{ address: '100.64.0.2/24' }],
  routes: [],
  dns: {},
};

/** The step that a plugin's configuration holds for a command. */
export function noopStep(command: string, config: JsonObject): NoopStep {
  const { noop } = config;
  const step = isObject(noop) ? noop[command] : undefined;
  return isObject(step) ? (step as NoopStep) : {};
}

export function noopAnswer(command: string, config: JsonObject): NoopAnswer {
  const step = noopStep(command, config);
  const { fail, stderr = '' } = step;
  if (fail !== undefined) {
    return {
      exitCode: step.exitCode ?? 1,
      stdout: JSON.stringify({ cniVersion: config.cniVersion, ...fail }),
      stderr,
    };
  }
  return { exitCode: step.exitCode ?? 0, stdout: step.stdout ?? success(command, config, step), stderr };
}

function success(command: string, config: JsonObject, step: NoopStep): string {
  const version = String(config.cniVersion ?? '0.1.0');
  if (command === 'VERSION')
    return JSON.stringify({ cniVersion: version, supportedVersions: KNOWN_VERSIONS });
  if (command !== 'ADD') return '';
  const { prevResult } = config;
  const previous = prevResult === undefined ? NOOP_RESULT : parseResult(prevResult, requireVersion(version));
  return JSON.stringify(formatResult(step.result ?? previous, step.version ?? version));
}
