import { type Command, Option } from 'commander';
import { defaultMaster, Master } from './master/master.ts';

export type Globals = {
  readonly master?: string;
  /** Name of a lab; undefined: no lab. */
  readonly lab?: string;
  readonly json?: boolean;
};

export const defaultLab = 'lab';
/** Set for commands that were sent into a lab: its name. */
export const inLabVariable = 'WEIR_IN_LAB';

/** Understood before, between and after the words of a command. */
export function withGlobals(command: Command, { shown }: { shown: boolean }): Command {
  const options = [
    new Option('--master <url>', `the master's API (or WEIR_MASTER; default ${defaultMaster})`),
    new Option('--lab [=name]', `talk to the master of a lab of "weir lab up" (default name: ${defaultLab})`),
    new Option('--json', "print the API's JSON, for programs"),
  ];
  for (const option of options) command.addOption(shown ? option : option.hideHelp());
  return command;
}

/** A command that only holds others. */
export function group(parent: Command, name: string, summary: string): Command {
  return withGlobals(parent.command(name).description(summary), { shown: false });
}

/** A command that does something; `usage` is its name and arguments. */
export function leaf(parent: Command, usage: string, summary: string): Command {
  return withGlobals(parent.command(usage).description(summary), { shown: false });
}

/** What every action starts from: whom to ask and how to answer. */
export type Session = { readonly master: Master; readonly json: boolean };

export function sessionOf(command: Command): Session {
  const { master, json = false } = command.optsWithGlobals<Globals>();
  // Agents may be told several; one that waits hands on what it is asked.
  const [url = defaultMaster] = (master ?? process.env.WEIR_MASTER ?? defaultMaster).split(',');
  const next = nextInLab(process.env[inLabVariable]);
  const credentials = process.env['WEIR_CREDENTIALS'];
  return {
    master: new Master(url, {
      ...(next === undefined ? {} : { next }),
      ...(credentials === undefined ? {} : { credentials }),
    }),
    json,
  };
}

function nextInLab(lab: string | undefined): string | undefined {
  if (lab === undefined) return undefined;
  const flag = lab === defaultLab ? '' : ` --lab=${lab}`;
  return `See what runs with "weir lab status${flag}".`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}
