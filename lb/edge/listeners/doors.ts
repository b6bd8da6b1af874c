import { isHttp, type Listener } from '../../../core/model/listener.ts';
import type { ListenAddress } from '../../engine.ts';
import type { Front } from '../front.ts';
import type { ListenerCounts } from '../l4/listener-tally.ts';
import { Door, type DoorParts } from './door.ts';

/** All listeners that are open in this worker. */
export class Doors {
  readonly #parts: DoorParts;
  /** Where a listener without an address is. */
  readonly #address: string;
  readonly #doors = new Map<string, Door>();
  /** Shut, with connections that go on. */
  readonly #leaving = new Set<Door>();
  #onIdle: () => void = () => {};

  constructor(parts: Omit<DoorParts, 'onClosed'>, address: string) {
    this.#parts = { ...parts, onClosed: () => this.#closed() };
    this.#address = address;
  }

  /** Those of HTTP. */
  get listening(): readonly ListenAddress[] {
    return [...this.#doors.values()].flatMap(({ listener, port }) => {
      const { id, protocol, address = this.#address } = listener;
      return isHttp(protocol) ? [{ id, scheme: protocol as ListenAddress['scheme'], address, port }] : [];
    });
  }

  /** The port it really got; undefined: it is not open. */
  portOf(id: string): number | undefined {
    return this.#doors.get(id)?.port;
  }

  /** Opens it, or changes what the open one does. `handle`: a socket that is bound there already. Throws PortInUse. */
  async open(listener: Listener, handle?: object): Promise<void> {
    const known = this.#doors.get(listener.id);
    if (known !== undefined && handle === undefined) return known.change(listener);
    if (known !== undefined) this.shut(listener.id, 0);
    const door = new Door(this.#parts, listener);
    await door.open(listener.address ?? this.#address, handle);
    this.#doors.set(listener.id, door);
  }

  /** No more comes in there; what is on its way has so long. */
  shut(id: string, withinMs: number): void {
    const door = this.#doors.get(id);
    if (door === undefined) return;
    this.#doors.delete(id);
    door.shut();
    for (const front of door.fronts) front.close(withinMs);
    if (door.fronts.size > 0) this.#leaving.add(door);
  }

  drain(routes: ReadonlySet<string>, withinMs: number): void {
    for (const door of this.#all()) door.drain(routes, withinMs);
  }

  /** Shuts all; what is on its way has so long. */
  shutAll(withinMs: number): void {
    for (const id of [...this.#doors.keys()]) this.shut(id, withinMs);
  }

  /** No more comes in; clients are told with their next answer, and upgraded connections have so long. */
  leaveAll(withinMs: number): void {
    for (const [id, door] of this.#doors) {
      this.#doors.delete(id);
      door.leave(withinMs);
      if (door.fronts.size > 0) this.#leaving.add(door);
    }
  }

  destroyFronts(): void {
    for (const front of this.#fronts()) front.destroy();
  }

  /** Resolves when there is no connection. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  counts(): readonly ListenerCounts[] {
    return [...this.#doors.values()].map(({ tally }) => tally.counts());
  }

  #closed(): void {
    for (const door of this.#leaving) if (door.fronts.size === 0) this.#leaving.delete(door);
    if (this.#isIdle()) this.#onIdle();
  }

  #isIdle(): boolean {
    for (const door of this.#all()) if (door.fronts.size > 0) return false;
    return true;
  }

  *#all(): Generator<Door> {
    yield* this.#doors.values();
    yield* this.#leaving;
  }

  *#fronts(): Generator<Front> {
    for (const door of this.#all()) yield* door.fronts;
  }
}
