import { WeirError } from '../../core/kit/errors.ts';

/**
 * A message that was to be sent has a value the wire cannot carry (a label over 63 bytes, an address that is none,
 * a limit under a header). What comes from the network never causes it.
 */
export class UnencodableError extends WeirError {
  constructor(message: string) {
    super('WEIR_DNS_UNENCODABLE', message);
  }
}
