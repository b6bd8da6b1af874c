import ipaddr from 'ipaddr.js';
import { targetKey } from '../../table.ts';

/** How long the rules' notes last, ms. */
export const noteMs = 2_000;

/**
 * Places (`targetKey`) that `nft list set` of notes shows, made at most `sinceMs` ago; a note that is made again is new. What
 * was cut from a packet's bytes nft shows as numbers.
 */
export function freshNotes(text: string, sinceMs: number): readonly string[] {
  return [...text.matchAll(note)].flatMap(([, address, port, seconds = '0', ms = '0']) => {
    const ageMs = noteMs - Number(seconds) * 1_000 - Number(ms);
    const place = { address: addressOf(address!), port: Number(port) };
    return ageMs <= sinceMs ? [targetKey('tcp', place)] : [];
  });
}

const note = /(0x[\da-f]+|[\da-f.:]+) \. (0x[\da-f]+|\d+)(?: timeout \w+)? expires (?:(\d+)s)?(?:(\d+)ms)?/g;

function addressOf(text: string): string {
  if (!text.startsWith('0x')) return text;
  const digits = text.slice(2);
  const bytes = Buffer.from(digits.padStart(digits.length > 8 ? 32 : 8, '0'), 'hex');
  return ipaddr.fromByteArray([...bytes]).toString();
}
