import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import {
  containerRuntimeContract,
  contractCommands,
  contractPrograms,
  missingProgram,
} from '../../runtime.contract.ts';
import type { ContainerSpec, ExecCommand, ExecResult, LogLine } from '../../runtime.ts';
import { FakeMachine, type FakeProgram } from './fake-machine.ts';
import { FakeRuntime } from './fake-runtime.ts';

containerRuntimeContract(t, async () => {
  const words = new Map<string, string>();
  const machine = new FakeMachine({
    clock: systemClock,
    programOf: (spec) => sharing(spec, words) ?? programOf(spec),
  });
  return {
    open: () => new FakeRuntime({ machine, clock: systemClock }),
    logRoot: '/logs',
    folder: '/folder',
  };
});

/** `words`: the files `word`, by the folder of the machine they are in. */
function sharing({ command, mounts }: ContainerSpec, words: Map<string, string>): FakeProgram | undefined {
  const line = command.kind === 'argv' ? command.argv[2] : undefined;
  const at = (path: string) => mounts.find(({ containerPath }) => containerPath === path)?.hostPath ?? '';
  if (line === contractPrograms.writesWord) {
    words.set(at('here'), 'hello');
    return { exitCode: 0 };
  }
  if (line !== contractPrograms.readsWord) return undefined;
  const word = words.get(at('there'));
  return word === undefined ? { exitCode: 1 } : { exitCode: 0, log: [out(word)] };
}

function programOf(spec: ContainerSpec): FakeProgram {
  const argv = spec.command.kind === 'argv' ? spec.command.argv : [];
  if (argv[0] === missingProgram) return { missing: `no program "${missingProgram}"` };
  const programs: Record<string, FakeProgram> = {
    [contractPrograms.runs]: { log: [out('ready')], exec },
    [contractPrograms.exits0]: { exitCode: 0 },
    [contractPrograms.exits3]: { exitCode: 3 },
    [contractPrograms.crashes]: { exitCode: 139 },
    [contractPrograms.ignoresTerm]: { log: [out('ready')], ignoresTerm: true },
    [contractPrograms.catchesTerm]: { log: [out('ready')], termCode: 7 },
    [contractPrograms.showsEnvironment]: { log: [out(spec.env.GREETING ?? '')], exitCode: 0 },
    [contractPrograms.writes1000Lines]: {
      log: [...Array.from({ length: 1_000 }, (_, i) => out(`line ${i + 1} of a log`)), err('oops')],
      exitCode: 0,
    },
  };
  return programs[argv[2] ?? ''] ?? {};
}

function exec(command: ExecCommand): ExecResult | 'hang' {
  if (command.argv[2] === contractCommands.hangs) return 'hang';
  return command.argv[2] === contractCommands.fails5
    ? { exitCode: 5, output: 'bad\n' }
    : { exitCode: 0, output: 'fine\n' };
}

function out(text: string): LogLine {
  return { stream: 'stdout', text };
}

function err(text: string): LogLine {
  return { stream: 'stderr', text };
}
