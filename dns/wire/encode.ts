import { OPT_LENGTH, writeBareOpt, writeOpt } from './edns.ts';
import { UnencodableError } from './errors.ts';
import { layOut } from './layout.ts';
import { cutToFit } from './truncate.ts';
import type { Edns, Message } from './types.ts';
import { FLAG, HEADER_LENGTH, MAX_MESSAGE } from './types.ts';

/**
 * Encodes a query or response with name compression, never longer than `limit` bytes (12 to 65535). What does not fit is
 * left out as `cutToFit` says. The OPT record stays as long as it fits beside the question: without its options before it
 * goes. Throws UnencodableError for values the wire cannot carry.
 */
export function encodeMessage(message: Message, limit: number = MAX_MESSAGE): Buffer {
  if (limit < HEADER_LENGTH) {
    throw new UnencodableError(
      `Cannot encode a message into ${limit} bytes: a header takes ${HEADER_LENGTH}`,
    );
  }
  const most = Math.min(limit, MAX_MESSAGE);
  const layout = layOut(message, most);
  const opt = fittingOpt(message.edns, most - layout.questionEnd);
  const cut = cutToFit(layout, most - opt.length);
  const to = layout.to;
  to.rewind(cut.end);
  to.raw(opt);
  to.patchU16(2, cut.truncated ? message.flags | FLAG.TC : message.flags);
  to.patchU16(6, cut.answers);
  to.patchU16(8, cut.authorities);
  to.patchU16(10, cut.additionals + (opt.length > 0 ? 1 : 0));
  return to.bytes.subarray(0, to.at);
}

const NO_OPT = new Uint8Array(0);

/** The whole OPT record, or without its options, or none, by what there is room for. */
function fittingOpt(edns: Edns | undefined, room: number): Uint8Array {
  if (edns === undefined || room < OPT_LENGTH) return NO_OPT;
  const fits = OPT_LENGTH + edns.options.length <= room;
  const opt = new Uint8Array(fits ? OPT_LENGTH + edns.options.length : OPT_LENGTH);
  if (fits) writeOpt(opt, 0, edns);
  else writeBareOpt(opt, 0, edns);
  return opt;
}
