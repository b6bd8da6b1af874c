import { isIPv4, isIPv6 } from 'node:net';
import type { StaticRecord } from './options.ts';
import type { Fields } from './settings-fields.ts';
import type { Name } from './wire/types.ts';

const types = ['A', 'AAAA', 'CNAME', 'PTR', 'SRV', 'TXT'] as const;

/**
 * `records`: by name, by type, one value or a list of them:
 * `{"db.weir": {"A": ["10.0.0.1"], "ttl": 60}, "_ldap._tcp.weir": {"SRV": {"port": 389, "target": "db.weir"}}}`.
 */
export function recordsIn(fields: Fields): readonly StaticRecord[] | undefined {
  const byName = fields.object('records');
  const records = byName?.keys.flatMap((key) => recordsOf(byName, key));
  byName?.end();
  return records;
}

function recordsOf(byName: Fields, key: string): readonly StaticRecord[] {
  const name = byName.nameOf(key);
  const of = byName.object(key);
  if (of === undefined) return [];
  const ttl = of.whole('ttl', { least: 0 });
  const common = { name, ...of.given('ttl', ttl) };
  const records = types.flatMap((type) => readType(of, { type, common }));
  if (records.length > 1 && records.some((record) => record.type === 'CNAME')) {
    of.fault('a CNAME alone: it cannot stand beside other records of its name');
  }
  of.end();
  return records;
}

type Of = { readonly type: (typeof types)[number]; readonly common: { name: Name; ttl?: number } };

function readType(of: Fields, { type, common }: Of): readonly StaticRecord[] {
  return of.each(type, (at): StaticRecord | undefined => {
    switch (type) {
      case 'A':
      case 'AAAA': {
        const is = type === 'A' ? isIPv4 : isIPv6;
        const family = type === 'A' ? 'IPv4' : 'IPv6';
        const address = at.own((value) =>
          typeof value === 'string' && is(value) ? value : new TypeError(`an ${family} address`),
        );
        return address === undefined ? undefined : { ...common, type, address };
      }
      case 'CNAME':
      case 'PTR': {
        const target = at.ownName();
        return target === undefined ? undefined : { ...common, type, target };
      }
      case 'TXT': {
        const text = at.own((value) => (typeof value === 'string' ? value : new TypeError('a text')));
        return text === undefined ? undefined : { ...common, type, text };
      }
      case 'SRV':
        return serviceIn(at.ownFields(), common);
    }
  });
}

function serviceIn(of: Fields, common: Of['common']): StaticRecord | undefined {
  const priority = of.whole('priority', { least: 0, most: 65_535 }) ?? 0;
  const weight = of.whole('weight', { least: 0, most: 65_535 }) ?? 1;
  const port = of.whole('port', { least: 0, most: 65_535 });
  const target = of.name('target');
  if (port === undefined || target === undefined) of.fault('port and target');
  of.end();
  if (port === undefined || target === undefined) return undefined;
  return { ...common, type: 'SRV', priority, weight, port, target };
}
