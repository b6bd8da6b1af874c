import { type Command, InvalidArgumentError } from 'commander';

/** Options of every command that begins a deployment. */
export function changing(command: Command): Command {
  return command
    .option('--no-wait', 'do not wait until the change is in force')
    .option('--timeout <seconds>', 'stop waiting after this long', seconds)
    .option('--force', 'also when another deployment holds the app; it is cancelled');
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected seconds, more than 0');
  return value;
}
