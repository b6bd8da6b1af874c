import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import { count } from '../show/words.ts';

export function register(program: Command): void {
  const brake = group(program, 'brake', 'what keeps instances from being ended when many apps fail at once');
  leaf(brake, 'show', 'say whether it is on, and what it keeps from being ended').action(
    async (_options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const answer = await master.get<Brake>('/v1/brake');
      if (json) return printJson(answer);
      print(sentences(answer).join('\n'));
    },
  );
  for (const [mode, says] of [
    ['off', 'end every instance whose checks fail often enough, however many do'],
    ['on', 'keep instances when many unrelated apps turn unhealthy at once (this is so from the start)'],
  ] as const)
    leaf(brake, mode, says).action(async (_options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const answer = await master.send<Brake>('PUT', '/v1/brake', { body: { mode } });
      if (json) return printJson(answer);
      print(sentences(answer).join('\n'));
    });
}

type Brake = {
  readonly mode: 'on' | 'off';
  readonly brakes: readonly { readonly reason: string }[];
  readonly held: readonly { readonly instanceId: string }[];
};

function sentences({ mode, brakes, held }: Brake): readonly string[] {
  if (mode === 'off')
    return ['The brake is off: instances are ended for their health however many fail. weir brake on'];
  if (brakes.length === 0) return ['The brake is ready; nothing is held back.'];
  return [
    ...brakes.map(({ reason }) => `${reason}.`),
    `${count(held.length, 'instance')} not ended for it. To end them all the same: weir brake off`,
  ];
}
