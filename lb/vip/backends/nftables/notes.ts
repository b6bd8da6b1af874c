import ipaddr from 'ipaddr.js';
import { targetKey } from '../../table.ts';

/** Sets of the rules' notes: who refused, who is asked and has not answered, whom an error of a router was about. */
export type Notes = 'refusing' | 'asked' | 'unreachable';
/** How long they last, ms. */
export const noteMs: Readonly<Record<Notes, number>> = { refusing: 2_000, asked: 5_000, unreachable: 2_000 };

/** A place (`targetKey`), and how long ago it was noted; a set may begin anew with each packet. */
export type Note = { readonly place: string; readonly ageMs: number };

/** What `nft list set` shows. What was cut from a packet's bytes it shows as numbers. */
export function parseNotes(notes: Notes, text: string): readonly Note[] {
  return [...text.matchAll(note)].map(([, address, port, seconds = '0', ms = '0']) => ({
    place: targetKey('tcp', { address: addressOf(address!), port: Number(port) }),
    ageMs: noteMs[notes] - Number(seconds) * 1_000 - Number(ms),
  }));
}

/** Of connections to anybody: who refused, and who did not answer. */
export type Failures = { readonly refused: readonly Note[]; readonly silent: readonly Note[] };

/** Who has not answered any SYN for so long does not answer, ms. */
const silentMs = 900;

/** What was noted within the last `sinceMs`. `read` gives what nft lists of a set. */
export async function failures(read: (notes: Notes) => Promise<string>, sinceMs: number): Promise<Failures> {
  const noted = async (notes: Notes) => parseNotes(notes, await read(notes));
  const isFresh = ({ ageMs }: Note) => ageMs <= sinceMs;
  const refused = (await noted('refusing')).filter(isFresh);
  const unreachable = (await noted('unreachable')).filter(isFresh);
  const unanswered = (await noted('asked')).filter(({ ageMs }) => ageMs >= silentMs);
  return { refused, silent: [...unreachable, ...unanswered] };
}

const note = /(0x[\da-f]+|[\da-f.:]+) \. (0x[\da-f]+|\d+)(?: timeout \w+)? expires (?:(\d+)s)?(?:(\d+)ms)?/g;

function addressOf(text: string): string {
  if (!text.startsWith('0x')) return text;
  const digits = text.slice(2);
  const bytes = Buffer.from(digits.padStart(digits.length > 8 ? 32 : 8, '0'), 'hex');
  return ipaddr.fromByteArray([...bytes]).toString();
}
