import { errorText } from '../../kit/errors.ts';
import { StoreUnavailable } from '../store.ts';

/** Turns whatever goes wrong with a server into StoreUnavailable that names it. */
export class RemoteFaults {
  /** The address without secrets. */
  readonly where: string;

  constructor(url: string) {
    const { protocol, host, pathname } = new URL(url);
    this.where = `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  }

  async attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  unavailable(error: unknown): StoreUnavailable {
    if (error instanceof StoreUnavailable) return error;
    return new StoreUnavailable(`at ${this.where}`, errorText(error), error);
  }

  /** The lock that a commit was to be made under has another holder by now, or none. */
  fenced(): StoreUnavailable {
    return new StoreUnavailable(`at ${this.where}`, 'another process leads since; nothing was written');
  }

  notKept(revision: number): StoreUnavailable {
    const detail = `the changes after revision ${revision} are not kept; list again`;
    return new StoreUnavailable(`at ${this.where}`, detail);
  }
}
