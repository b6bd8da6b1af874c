import type { Command } from 'commander';
import { leaf, print, printJson, sessionOf } from '../globals.ts';
import type {
  ClientCount,
  DnsAnswer,
  LoggedQuery,
  NamedInstance,
  NameExplanation,
  NameRecord,
  QueriesAnswer,
} from '../master/answers.ts';
import { table } from '../show/table.ts';

export function register(program: Command): void {
  leaf(program, 'dns', 'ask for a name, and why the answer is what it is')
    .argument(
      '[name]',
      'such as web.shop.weir or _web._tcp.marathon.mesos; without one: what was asked lately, by whom',
    )
    .argument('[type]', 'A, AAAA, SRV, …', 'A')
    .option('--node <name>', 'ask the resolver of this machine (default: any that is connected)')
    .action(async (name: string | undefined, type: string, options: { node?: string }, command: Command) => {
      const { master, json } = sessionOf(command);
      if (name === undefined) {
        const answer = await master.get<QueriesAnswer>('/v1/dns/queries', { query: { node: options.node } });
        if (json) return printJson(answer);
        return print(queriesText(answer));
      }
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
    ...(reply.answers.length === 0 ? [] : [recordTable(reply.answers, answer.records)]),
    ...(used.length === 0 ? [] : [`Leads to:\n${used.map(instanceLine).join('\n')}`]),
    ...(leftOut.length === 0
      ? []
      : [`Left out:\n${leftOut.map((item) => `${instanceLine(item)}: ${item.reason}`).join('\n')}`]),
    `Answered by ${node} from revision ${revision}.`,
  ];
  return parts.join('\n\n');
}

function recordTable(answers: readonly NameRecord[], made: NameExplanation['records']): string {
  const ruleOf = ({ type, data }: NameRecord) =>
    made.find((record) => record.type === type && record.data === data)?.rule ?? '';
  return table<NameRecord>(
    [
      { head: 'NAME', of: ({ name }) => name },
      { head: 'TTL', right: true, of: ({ ttl }) => String(ttl) },
      { head: 'TYPE', of: ({ type }) => type },
      { head: 'DATA', of: ({ data }) => data },
      { head: 'RULE', of: ruleOf },
    ],
    answers,
  );
}

const mostShown = 20;

function queriesText({ node, answer: { queries, clients } }: QueriesAnswer): string {
  if (queries.length === 0) return `The resolver of ${node} was asked nothing lately.`;
  const time = (at: number) => new Date(at).toISOString().slice(11, 23);
  const asked = table<LoggedQuery>(
    [
      { head: 'TIME', of: ({ at }) => time(at) },
      { head: 'CLIENT', of: ({ client }) => client },
      { head: 'BY', of: ({ transport }) => transport },
      { head: 'NAME', of: ({ name }) => name },
      { head: 'TYPE', of: ({ type }) => type },
      { head: 'ANSWER', of: ({ rcode }) => rcode },
      { head: 'STANDS FOR', right: true, of: ({ standsFor }) => String(standsFor) },
    ],
    queries.slice(0, mostShown),
  );
  const asking = table<ClientCount>(
    [
      { head: 'CLIENT', of: ({ client }) => client },
      { head: 'QUERIES', right: true, of: ({ queries }) => String(queries) },
      { head: 'WITHOUT ANSWER', right: true, of: ({ failures }) => String(failures) },
    ],
    clients.slice(0, mostShown),
  );
  return [asked, asking, `Of ${node}, at most 100 questions a second are noted.`].join('\n\n');
}

function instanceLine({ instanceId, at }: NamedInstance): string {
  return `  ${instanceId}  ${at.join(', ')}`.trimEnd();
}
