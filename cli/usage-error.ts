import { WeirError } from '../core/kit/errors.ts';

/** The command was not given as it must be: exit code 2. */
export class UsageError extends WeirError {
  constructor(message: string, next?: string) {
    super('WEIR_USAGE', message, next === undefined ? {} : { next });
  }
}
