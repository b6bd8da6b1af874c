import type { Command } from 'commander';
import { type Globals, leaf, print, printJson } from '../globals.ts';

export function register(program: Command): void {
  leaf(program, 'doctor', 'say what this machine can do, what is missing and what fixes it').action(
    async (_options: object, command: Command) => {
      const { diagnose, report } = await import('../doctor/report.ts');
      const diagnosis = await diagnose();
      if (command.optsWithGlobals<Globals>().json === true) return printJson(diagnosis);
      print(report(diagnosis));
    },
  );
}
