import type { Client } from '../handler.ts';
import { OPTION_PADDING, optionBytes, optionData } from '../wire/edns.ts';
import { type Edns, MAX_MESSAGE } from '../wire/types.ts';

/** RFC 8467 §4.1: replies are filled up to whole blocks of so many bytes. */
const block = 468;
const optionHead = 4;

/** RFC 7830 §4, §6: who fills up a question gets a filled reply, where nobody on the way can read it. */
export function isPadded(asked: Edns | undefined, { transport }: Client): boolean {
  if (asked === undefined || (transport !== 'tls' && transport !== 'https')) return false;
  return optionData(asked.options, OPTION_PADDING) !== undefined;
}

/** The OPT of a reply that has so many bytes without padding, with it. */
export function padded(said: Edns, length: number): Edns {
  const least = length + optionHead;
  const wanted = Math.min(Math.ceil(least / block) * block, MAX_MESSAGE);
  if (wanted < least) return said;
  const padding = optionBytes([{ code: OPTION_PADDING, data: new Uint8Array(wanted - least) }]);
  return { ...said, options: Buffer.concat([said.options, padding]) };
}
