import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { errorText } from '../../../core/kit/errors.ts';
import { BindFailed, listenError } from '../../../core/kit/listen.ts';
import type { Directory } from '../../../core/model/directory.ts';
import type { Listener, ListenerState } from '../../../core/model/listener.ts';
import type { ListenAddress } from '../../engine.ts';
import { type ListenPlace, ListenSocket } from './listen-socket.ts';

/** A listener with the place it really has, and its socket, which is lent to workers; undefined for UDP: they bind themselves. */
export type Place = { readonly listener: Listener; readonly socket: ListenSocket | undefined };

/** A place of another process of ours that is to be had without anybody being refused. */
export type HandedPlace = {
  /** Of its listener. */
  readonly id: string;
  readonly address: string;
  /** The one it really has. */
  readonly port: number;
  /** Undefined for UDP. */
  readonly socket: ListenSocket | undefined;
};

export type PlacesChange = {
  readonly opened: readonly Place[];
  /** The place is what it was, what is to be done there is not. */
  readonly changed: readonly Place[];
  readonly closed: readonly string[];
};

/**
 * The places that the listeners of a Directory want, as sockets of the control process: workers come and go without one being shut.
 * One that cannot be had stops no other; it is tried again with every `apply`.
 */
export class PublicPlaces {
  /** Where a listener without an address is. */
  readonly #address: string;
  readonly #places = new Map<string, Place>();
  /** As they were asked for. */
  readonly #asked = new Map<string, Listener>();
  readonly #problems = new Map<string, string>();
  #wanted: readonly Listener[] = [];
  #handed: readonly HandedPlace[] = [];

  constructor(address: string) {
    this.#address = address;
  }

  get open(): ReadonlyMap<string, Place> {
    return this.#places;
  }

  get hasProblems(): boolean {
    return this.#problems.size > 0;
  }

  /** Those of HTTP. */
  get listening(): readonly ListenAddress[] {
    return [...this.#places.values()].flatMap(({ listener }) => {
      const { id, protocol, address = this.#address, port } = listener;
      return protocol === 'http' || protocol === 'https' ? [{ id, scheme: protocol, address, port }] : [];
    });
  }

  /** What became of those that were wanted last. */
  get states(): readonly ListenerState[] {
    return this.#wanted.map(({ id }) => {
      const { address = this.#address, port } = this.#places.get(id)?.listener ?? { port: 0 };
      const problem = this.#problems.get(id);
      return {
        id,
        ...(this.#places.has(id) && { at: { address, port } }),
        ...(problem !== undefined && { problem }),
      };
    });
  }

  /** What another process may go on with. */
  get handed(): readonly HandedPlace[] {
    return [...this.#places].map(([id, { listener, socket }]) => {
      const { address = this.#address, port } = listener;
      return { id, address, port, socket };
    });
  }

  /** What is opened from now on is taken from these, as far as they have it. */
  take(handed: readonly HandedPlace[]): void {
    this.#handed = handed;
  }

  /** What nobody took is given up. */
  releaseHanded(): void {
    for (const { socket } of this.#handed) socket?.close();
    this.#handed = [];
  }

  /** Throws PortInUse, CannotListen: without these an edge does not start. */
  async openFixed(listeners: readonly Listener[]): Promise<void> {
    for (const listener of listeners) if (!this.#places.has(listener.id)) await this.#open(listener);
  }

  async apply(listeners: readonly Listener[], directory: Directory): Promise<PlacesChange> {
    this.#wanted = listeners;
    const served = new Map(listeners.filter((one) => isServed(one, directory)).map((one) => [one.id, one]));
    this.#problems.clear();
    const closed = [...this.#places.keys()].filter((id) => isStale(this.#asked.get(id), served.get(id)));
    for (const id of closed) this.#close(id);
    const changed: Place[] = [];
    const opened: Place[] = [];
    for (const listener of served.values()) {
      const known = this.#places.get(listener.id);
      if (known === undefined) opened.push(...(await this.#tryOpen(listener)));
      else if (this.#asked.get(listener.id) !== listener) changed.push(this.#change(known, listener));
    }
    return { opened, changed, closed };
  }

  close(): void {
    for (const id of [...this.#places.keys()]) this.#close(id);
  }

  /** A worker could not make use of it. */
  failed(id: string, problem: string): void {
    this.#problems.set(id, problem);
    this.#close(id);
  }

  #change({ listener: { address, port }, socket }: Place, wanted: Listener): Place {
    const place = { listener: { ...wanted, ...(address !== undefined && { address }), port }, socket };
    this.#asked.set(wanted.id, wanted);
    this.#places.set(wanted.id, place);
    return place;
  }

  async #tryOpen(listener: Listener): Promise<readonly Place[]> {
    try {
      return [await this.#open(listener)];
    } catch (error) {
      this.#problems.set(listener.id, error instanceof BindFailed ? error.message : errorText(error));
      return [];
    }
  }

  async #open(listener: Listener): Promise<Place> {
    const { id, port, protocol, address = this.#address } = listener;
    const given = this.#takeHanded(listener, address);
    const socket = protocol === 'udp' ? undefined : (given?.socket ?? new ListenSocket({ address, port }));
    const got = socket?.port ?? given?.port ?? (await freeUdpPort({ address, port }));
    const place = { listener: { ...listener, address, port: got }, socket };
    this.#asked.set(id, listener);
    this.#places.set(id, place);
    return place;
  }

  #takeHanded({ id, port, protocol }: Listener, address: string): HandedPlace | undefined {
    const found = this.#handed.find(
      (one) =>
        one.address === address &&
        (one.socket === undefined) === (protocol === 'udp') &&
        (port === 0 ? one.id === id : one.port === port),
    );
    this.#handed = this.#handed.filter((one) => one !== found);
    return found;
  }

  #close(id: string): void {
    this.#places.get(id)?.socket?.close();
    this.#places.delete(id);
    this.#asked.delete(id);
  }
}

function isServed({ whileServed }: Listener, { byApp, serverSets }: Directory): boolean {
  if (whileServed === undefined) return true;
  const { appId, portIndex } = whileServed;
  const sources = serverSets.get(appId)?.sources;
  // A set that an app's labels made is of whole ports.
  if (sources !== undefined)
    return sources.some((source) => 'appId' in source && byApp.get(source.appId)?.some(({ ready }) => ready));
  return (byApp.get(appId) ?? []).some(
    ({ ready, ports }) => ready && ports.some(({ index }) => index === portIndex),
  );
}

/** It is gone, or wants another place. Those the edge was started with are never asked for here. */
function isStale(before: Listener | undefined, after: Listener | undefined): boolean {
  if (before?.id.startsWith('*')) return false;
  if (before === undefined || after === undefined) return true;
  return before.address !== after.address || before.port !== after.port || before.protocol !== after.protocol;
}

/** Workers bind it with `reusePort`, which would share it with anybody of ours: whether it is free is asked without. */
async function freeUdpPort(place: ListenPlace): Promise<number> {
  const socket = createSocket(isIPv6(place.address) ? 'udp6' : 'udp4');
  try {
    socket.bind({ port: place.port, address: place.address, exclusive: true });
    await once(socket, 'listening');
    return socket.address().port;
  } catch (error) {
    throw listenError(place, 'udp', error);
  } finally {
    socket.close();
  }
}
