import { CniError } from '../errors.ts';
import type { ExecOutcome, ExecRequest, PluginExec } from '../exec.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import { noopAnswer, noopStep } from './noop-answer.ts';

export type FakeCall = {
  readonly type: string;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly config: JsonObject;
};

/** A function in the place of every plugin; undefined answers as the recording plugin does. */
export type FakeBehaviour = (
  call: FakeCall,
) => Partial<ExecOutcome> | undefined | Promise<Partial<ExecOutcome> | undefined>;

export type FakeExec = PluginExec & {
  /** Every run, in the order it began. */
  readonly calls: readonly FakeCall[];
  /** `TYPE COMMAND` of every run. */
  order(): string[];
  /** Types that cannot be found. */
  readonly missing: Set<string>;
};

const NOTHING = { signal: undefined, stdout: '', stderr: '' };

/** The seam without processes. It hangs only until the time-out, which it does not wait for. */
export function createFakeExec(behave: FakeBehaviour = () => undefined): FakeExec {
  const calls: FakeCall[] = [];
  const missing = new Set<string>();
  return {
    calls,
    missing,
    order: () => calls.map(({ type, command }) => `${type} ${command}`),
    async find(type, dirs) {
      if (type !== '' && !type.includes('/') && !missing.has(type)) return `${dirs[0] ?? ''}/${type}`;
      throw new CniError('WEIR_CNI_PLUGIN_MISSING', `plugin ${type} is not in ${dirs.join(':')}`, {
        plugin: type,
      });
    },
    async run(path, request) {
      if (request.signal?.aborted) return { ...NOTHING, end: 'aborted', exitCode: undefined };
      const call = callOf(path, request);
      calls.push(call);
      return { ...answer(call), ...(await behave(call)) };
    },
    async stopOrphans() {},
  };
}

function callOf(path: string, { env, stdin }: ExecRequest): FakeCall {
  const json = parseJson(stdin);
  const config = isObject(json) ? json : {};
  return { type: path.split('/').at(-1) ?? '', command: env.CNI_COMMAND ?? '', env, stdin, config };
}

function answer({ command, config }: FakeCall): ExecOutcome {
  if (noopStep(command, config).hang === true) return { ...NOTHING, end: 'timeout', exitCode: undefined };
  return { ...NOTHING, end: 'exited', ...noopAnswer(command, config) };
}
