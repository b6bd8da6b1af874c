import { type Handler, type Reply, status } from '../handler.ts';
import { CLASS, type Name, RCODE, type ResourceRecord, TYPE } from '../wire/types.ts';

const ttl = 86_400;
const reverseNames = new Set([
  '1.0.0.127.in-addr.arpa',
  '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa',
]);

/** `localhost`, every name below it, and its reverse names never leave this machine (RFC 6761 §6.3). */
export const localhostHandler: Handler = {
  name: 'localhost',
  answer(question, next) {
    const { name, type } = question;
    if (name === 'localhost' || name.endsWith('.localhost')) return addressReply(name, type);
    if (reverseNames.has(name)) return reverseReply(name, type);
    return next(question);
  },
};

function addressReply(name: Name, type: number): Reply {
  if (type === TYPE.A) return reply({ type: 'A', name, class: CLASS.IN, ttl, address: '127.0.0.1' });
  if (type === TYPE.AAAA) return reply({ type: 'AAAA', name, class: CLASS.IN, ttl, address: '::1' });
  return noData('localhost');
}

function reverseReply(name: Name, type: number): Reply {
  if (type === TYPE.PTR) return reply({ type: 'PTR', name, class: CLASS.IN, ttl, target: 'localhost' });
  return noData(name);
}

function reply(record: ResourceRecord): Reply {
  return status(RCODE.NOERROR, { authoritative: true, answers: [record] });
}

function noData(name: Name): Reply {
  const soa = { serial: 1, refresh: 60, retry: 600, expire: ttl, minimum: ttl };
  const names = { name, mname: 'localhost', rname: 'root.localhost' };
  return status(RCODE.NOERROR, {
    authoritative: true,
    authorities: [{ type: 'SOA', class: CLASS.IN, ttl, ...names, ...soa }],
  });
}
