import type { ListenAddress } from '../core/kit/listen.ts';
import type { HotAnswers } from './hot/answers.ts';
import type { Respond } from './respond.ts';

/** A socket that answers. `close` resolves when its port is free again. */
export type OpenSocket = ListenAddress & { close(): Promise<void> };

/**
 * The seam between the resolver and the kernel: how packets come and go. One function, so that a layer with its own
 * threads and buffers can take its place.
 */
export interface SocketLayer {
  readonly name: string;
  /**
   * Binds and answers every datagram with what `respond` gives: nothing for undefined, at once or when its promise
   * resolves, in any order. A layer that can answer away from this thread follows `hot` and asks `respond` for the rest.
   * Resolves with the bound address. Throws PortInUse or CannotListen.
   */
  open(at: ListenAddress, respond: Respond, hot?: HotAnswers): Promise<OpenSocket>;
}
