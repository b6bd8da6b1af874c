import { WeirError } from '../core/kit/errors.ts';
import { type SupervisedChild, type SupervisedOptions, superviseChild } from '../core/kit/supervised.ts';
import { type CallName, type Calls, parseResponse, type Response } from './protocol.ts';

/** The worker ended before it answered; a new one is being started. */
export class WorkerGone extends WeirError {
  constructor(call: string) {
    super('WEIR_DNS_WORKER_GONE', `Cannot ${call}: the DNS worker has ended and is being restarted`, {
      next: 'Try again in a moment.',
    });
  }
}

/** The worker could not do what it was asked; its own words are in the message. */
export class WorkerFailed extends WeirError {
  constructor(call: string, words: string) {
    super('WEIR_DNS_WORKER_FAILED', `Cannot ${call} in the DNS worker: ${words}`);
  }
}

type Waiting = {
  readonly call: CallName;
  readonly resolve: (value: Response & { kind: 'given' }) => void;
  readonly reject: (error: Error) => void;
};

/** Calls to the worker process and their answers. */
export class WorkerLink {
  readonly child: SupervisedChild;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(options: Omit<SupervisedOptions, 'onMessage'>) {
    this.child = superviseChild({
      ...options,
      onMessage: (message) => this.#settle(message),
      onCrash: () => {
        this.#giveUp();
        options.onCrash?.();
      },
    });
  }

  /** Rejects with WorkerGone or WorkerFailed. */
  async call<K extends CallName>(call: K, asked: Calls[K]['asked']): Promise<Calls[K]['given']> {
    const id = ++this.#lastId;
    const answer = new Promise<Response & { kind: 'given' }>((resolve, reject) => {
      this.#waiting.set(id, { call, resolve, reject });
      if (this.child.send({ id, call, asked })) return;
      this.#waiting.delete(id);
      reject(new WorkerGone(call));
    });
    // the worker answers a call with the value that belongs to it
    return (await answer).value as Calls[K]['given'];
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.#giveUp();
  }

  #settle(message: unknown): void {
    const response = parseResponse(message);
    const waiting = response === undefined ? undefined : this.#waiting.get(response.id);
    if (response === undefined || waiting === undefined) return;
    this.#waiting.delete(response.id);
    if (response.kind === 'given') waiting.resolve(response);
    else waiting.reject(new WorkerFailed(waiting.call, response.message));
  }

  #giveUp(): void {
    for (const { call, reject } of this.#waiting.values()) reject(new WorkerGone(call));
    this.#waiting.clear();
  }
}
