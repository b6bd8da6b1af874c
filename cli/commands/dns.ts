import type { Command } from 'commander';
import { leaf, print, printJson, sessionOf } from '../globals.ts';
import type { DnsAnswer, NamedInstance, NameRecord } from '../master/answers.ts';
import { table } from '../show/table.ts';

export function register(program: Command): void {
  leaf(program, 'dns', 'ask for a name, and why the answer is what it is')
    .argument('<name>', 'such as web.shop.weir or _web._tcp.marathon.mesos')
    .argument('[type]', 'A, AAAA, SRV, …', 'A')
    .option('--node <name>', 'ask the resolver of this machine (default: any that is connected)')
    .action(async (name: string, type: string, options: { node?: string }, command: Command) => {
      const { master, json } = sessionOf(command);
      const query = { name, type: type.toUpperCase(), node: options.node };
      const answer = await master.get<DnsAnswer>('/v1/dns', { query });
      if (json) return printJson(answer);
      print(explanationText(answer));
    });
}

function explanationText({ node, answer }: DnsAnswer): string {
  const { reply, because, aliasOf, revision, used, leftOut } = answer;
  const alias = aliasOf === undefined ? '' : ` It stands for ${aliasOf}.`;
  const parts = [
    `${reply.rcode}  ${because}${alias}`,
    ...(reply.answers.length === 0 ? [] : [recordTable(reply.answers)]),
    ...(used.length === 0 ? [] : [`Leads to:\n${used.map(instanceLine).join('\n')}`]),
    ...(leftOut.length === 0
      ? []
      : [`Left out:\n${leftOut.map((item) => `${instanceLine(item)}: ${item.reason}`).join('\n')}`]),
    `Answered by ${node} from revision ${revision}.`,
  ];
  return parts.join('\n\n');
}

function recordTable(records: readonly NameRecord[]): string {
  return table<NameRecord>(
    [
      { head: 'NAME', of: ({ name }) => name },
      { head: 'TTL', right: true, of: ({ ttl }) => String(ttl) },
      { head: 'TYPE', of: ({ type }) => type },
      { head: 'DATA', of: ({ data }) => data },
    ],
    records,
  );
}

function instanceLine({ instanceId, at }: NamedInstance): string {
  return `  ${instanceId}  ${at.join(', ')}`.trimEnd();
}
