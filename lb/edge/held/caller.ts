import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WeirError } from '../../../core/kit/errors.ts';
import { PortInUse } from '../../../core/kit/listen.ts';
import { Channel } from './channel.ts';
import { type Call, type Calls, type FromHeld, type HeldState, isFromHeld } from './messages.ts';
import { meetingPlace } from './place.ts';

type Waiter = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void };

export const nothing: HeldState = { listening: [], listeners: [], generations: [] };

/** Asks one edge of another process. */
export class Caller {
  /** As of its last answer. */
  state: HeldState = nothing;
  onReset: () => void = () => {};
  onClosed: () => void = () => {};
  /** Resolves when it cannot be asked any more. */
  readonly closed: Promise<void>;
  readonly #channel: Channel;
  readonly #waiters = new Map<number, Waiter>();
  #lastId = 0;
  #isOpen = true;

  /** Undefined: nobody is there. `name`: of one edge of the folder; default the one that serves. */
  static async meet(folder: string, name?: string): Promise<Caller | undefined> {
    const place = meetingPlace(folder, name);
    const socket = connect(place.path);
    try {
      await once(socket, 'connect');
    } catch {
      return undefined;
    } finally {
      place.close();
    }
    return new Caller(socket);
  }

  private constructor(socket: Socket) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#channel = new Channel(socket, {
      message: (value) => {
        if (isFromHeld(value)) this.#take(value);
      },
      closed: () => {
        this.#isOpen = false;
        for (const { reject } of this.#waiters.values()) reject(away());
        this.#waiters.clear();
        resolve();
        this.onClosed();
      },
    });
  }

  ask<C extends Call>(call: C, asks: Calls[C]['asks']): Promise<Calls[C]['answer']> {
    if (!this.#isOpen) return Promise.reject(away());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#channel.send({ id, call, asks });
    });
  }

  close(): void {
    this.#channel.close();
  }

  #take(said: FromHeld): void {
    if ('event' in said) {
      this.onReset();
      return;
    }
    const waiter = this.#waiters.get(said.id);
    this.#waiters.delete(said.id);
    if ('state' in said) {
      this.state = said.state;
      waiter?.resolve(said.answer as never);
    } else waiter?.reject(errorOf(said.failure));
  }
}

export function away(): WeirError {
  return new WeirError('WEIR_EDGE_AWAY', 'Cannot ask the edge: its process is being started');
}

export type Failure = Extract<FromHeld, { failure: object }>['failure'];

/** As the other process threw it. */
export function errorOf({ code, message, address, port }: Failure): Error {
  if (code === 'WEIR_PORT_IN_USE' && address !== undefined && port !== undefined)
    return new PortInUse({ address, port });
  return code === undefined ? new Error(message) : new WeirError(code, message);
}
