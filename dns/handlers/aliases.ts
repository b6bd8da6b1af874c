import type { Handler, Next, Reply } from '../handler.ts';
import { then } from '../handler.ts';
import type { ZoneOptions } from '../options.ts';
import type { Name, ResourceRecord } from '../wire/types.ts';

/** Names at and below `from` are those at and below `to`. */
export type Alias = {
  readonly from: Name;
  readonly to: Name;
  /** DC/OS copies Mesos-DNS's services with priority and weight 1 (dns.md §9). */
  readonly copiesServices?: true;
};

/** The further names of the DC/OS zones (dns.md §9). The first that matches counts: longer ones come first. */
export function dcosAliases(options: ZoneOptions): readonly Alias[] {
  const { clusterId, dcosDomain, mesosDomain } = options;
  const cluster = clusterId === undefined ? [] : [{ from: `${clusterId}.dcos.directory`, to: dcosDomain }];
  return [
    { from: `dclb.${dcosDomain}`, to: `l4lb.${dcosDomain}` },
    { from: `mesos.${dcosDomain}`, to: mesosDomain, copiesServices: true },
    { from: 'thisdcos.global', to: dcosDomain },
    ...cluster,
  ];
}

/**
 * Renames the question, has it answered, and renames back in all sections, inside the records too: a client sees only
 * the name it asked for. An alias may lead to another.
 */
export function aliasesHandler(aliases: readonly Alias[]): Handler {
  const answer = (question: Parameters<Next>[0], next: Next): ReturnType<Next> => {
    const alias = aliases.find(({ from }) => isAtOrBelow(question.name, from));
    if (alias === undefined) return next(question);
    const name = moved(question.name, alias.from, alias.to);
    const back = (reply: Reply) => renamed(reply, { ...alias, from: alias.to, to: alias.from });
    return then(answer({ ...question, name }, next), back);
  };
  return { name: 'aliases', answer };
}

/** The name all aliases lead to. */
export function canonicalName(name: Name, aliases: readonly Alias[]): Name {
  const alias = aliases.find(({ from }) => isAtOrBelow(name, from));
  return alias === undefined ? name : canonicalName(moved(name, alias.from, alias.to), aliases);
}

function renamed(reply: Reply, { from, to, copiesServices }: Alias): Reply {
  const rename = (name: Name) => (isAtOrBelow(name, from) ? moved(name, from, to) : name);
  const each = (records: readonly ResourceRecord[]) =>
    records.map((record) => {
      const changed = withNames(record, rename);
      return copiesServices && changed.type === 'SRV' ? { ...changed, priority: 1, weight: 1 } : changed;
    });
  return {
    ...reply,
    answers: each(reply.answers),
    authorities: each(reply.authorities),
    additionals: each(reply.additionals),
  };
}

function withNames(record: ResourceRecord, rename: (name: Name) => Name): ResourceRecord {
  const name = rename(record.name);
  switch (record.type) {
    case 'NS':
    case 'CNAME':
    case 'PTR':
    case 'SRV':
      return { ...record, name, target: rename(record.target) };
    case 'SOA':
      return { ...record, name, mname: rename(record.mname), rname: rename(record.rname) };
    default:
      return { ...record, name };
  }
}

function isAtOrBelow(name: Name, zone: Name): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function moved(name: Name, from: Name, to: Name): Name {
  return name.slice(0, name.length - from.length) + to;
}
