import { type Handler, status } from '../handler.ts';
import { CLASS, RCODE } from '../wire/types.ts';

/** Only the Internet class is spoken here (dns.md §14.13). */
export const classHandler: Handler = {
  name: 'class',
  answer: (question, next) => (question.class === CLASS.IN ? next(question) : status(RCODE.REFUSED)),
};
