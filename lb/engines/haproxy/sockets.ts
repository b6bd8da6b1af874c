import type { Listener } from '../../../core/model/listener.ts';
import { ListenSocket } from '../../edge/listeners/listen-socket.ts';
import { HaproxyUnusable } from './process.ts';

/** A listener with its bound socket. */
export type OpenSocket = {
  readonly listener: Listener;
  /** Never given twice. */
  readonly number: number;
  /** In this process. */
  readonly fd: number;
  readonly port: number;
  readonly close: () => void;
};

/** The sockets that HAProxy is lent: while it is replaced or starts again the kernel goes on queueing connections. */
export class Sockets {
  readonly #address: string;
  readonly #open = new Map<string, OpenSocket>();
  #last = 0;

  /** Where a listener without an address is. */
  constructor(address: string) {
    this.#address = address;
  }

  get all(): readonly OpenSocket[] {
    return [...this.#open.values()];
  }

  get(id: string): OpenSocket | undefined {
    return this.#open.get(id);
  }

  /** The listener that a socket was opened for. */
  numbered(number: number): Listener | undefined {
    return this.all.find((one) => one.number === number)?.listener;
  }

  addressOf({ address = this.#address }: Listener): string {
    return address;
  }

  /** `handle`: one that another process has bound there. Throws PortInUse. */
  open(listener: Listener, handle: object | undefined): void {
    this.close(listener.id);
    const { port } = listener;
    const number = ++this.#last;
    if (handle !== undefined) {
      const fd = descriptorOf(handle);
      this.#open.set(listener.id, { listener, number, fd, port, close: () => closeHandle(handle) });
      return;
    }
    const own = new ListenSocket({ address: this.addressOf(listener), port });
    const fd = descriptorOf(own.handle);
    this.#open.set(listener.id, { listener, number, fd, port: own.port, close: () => own.close() });
  }

  /** What is done there is another thing; the place is what it was. */
  change(listener: Listener): void {
    const known = this.#open.get(listener.id);
    if (known !== undefined) this.#open.set(listener.id, { ...known, listener });
  }

  close(id: string): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }
}

function descriptorOf(handle: object): number {
  const fd: unknown = Reflect.get(handle, 'fd');
  if (typeof fd !== 'number' || fd < 0)
    throw new HaproxyUnusable('a socket has no descriptor on this system');
  return fd;
}

function closeHandle(handle: object): void {
  const close: unknown = Reflect.get(handle, 'close');
  if (typeof close === 'function') close.call(handle);
}
