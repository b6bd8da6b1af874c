import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { VipAnswer, VipFault, VipInfo } from '../master/answers.ts';
import { table } from '../show/table.ts';
import { faultLine, vipPage, vipReasons } from '../vip/page.ts';

export function register(program: Command): void {
  const vip = group(program, 'vip', 'look at virtual IPs');
  leaf(vip, 'list', 'list every virtual IP, and labels that declare none').action(list);
  leaf(vip, 'show', 'show one: its backends, and what each machine has in force')
    .argument('<vip>', 'a name or address, with or without a port, or the id of an app')
    .action((name: string, _options: object, command: Command) => about(name, command, vipPage));
  leaf(vip, 'why', 'say where its connections go and why, and what takes none')
    .argument('<vip>', 'a name or address, with or without a port, or the id of an app')
    .action((name: string, _options: object, command: Command) => about(name, command, vipReasons));
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const vips = await master.get<readonly VipInfo[]>('/v1/vips');
  const { faults } = await master.get<{ faults: readonly VipFault[] }>('/v1/vips/faults');
  if (json) return printJson({ vips, faults });
  const shown =
    vips.length === 0 ? ['No virtual IPs yet: every app with a port gets one.'] : [vipTable(vips)];
  print([...shown, ...faults.map(faultLine)].join('\n'));
}

async function about(name: string, command: Command, text: (answer: VipAnswer) => string): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.get<VipAnswer>(`/v1/vips/${encodeURI(name.replace(/^\//, ''))}`);
  if (json) return printJson(answer);
  print(text(answer));
}

function vipTable(vips: readonly VipInfo[]): string {
  return table<VipInfo>(
    [
      { head: 'VIP', of: ({ vip }) => vip },
      { head: 'PROTOCOL', of: ({ protocol }) => protocol },
      { head: 'ADDRESS', of: ({ address }) => address },
      { head: 'APPS', of: ({ apps }) => apps.join(', ') },
      {
        head: 'BACKENDS',
        right: true,
        of: ({ backend }) => `${backend.filter(({ weight }) => weight > 0).length}/${backend.length}`,
      },
    ],
    vips,
  );
}
