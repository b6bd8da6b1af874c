import type { ListenAddress } from '../../core/kit/listen.ts';
import type { Respond } from '../respond.ts';
import type { TcpLimits } from '../tcp.ts';
import type { Credentials, SecureSocket } from './socket.ts';

/** Where to listen for DNS over TLS and over HTTPS, and as whom. */
export type SecureListen = {
  readonly tls?: ListenAddress;
  readonly https?: ListenAddress;
  readonly credentials: Credentials;
};

export type SecureBound = { readonly tls?: ListenAddress; readonly https?: ListenAddress };

/** The encrypted ways in. What they need is loaded when they are wanted: it makes the process larger. */
export class SecureServer {
  readonly #respond: Respond;
  readonly #limits: TcpLimits;
  #open: readonly SecureSocket[] = [];
  #bound: SecureBound = {};

  constructor(respond: Respond, limits: TcpLimits) {
    this.#respond = respond;
    this.#limits = limits;
  }

  /** Opens them; the second time it only renews the certificate. Throws PortInUse or CannotListen; then none is open. */
  async listen({ tls, https, credentials }: SecureListen): Promise<SecureBound> {
    if (this.#open.length > 0) {
      for (const socket of this.#open) socket.renew(credentials);
      return this.#bound;
    }
    try {
      const parts = { credentials, limits: this.#limits };
      const overTls =
        tls && this.#opened(await (await import('./tls.ts')).openTls(tls, this.#respond, parts));
      const overHttps =
        https && this.#opened(await (await import('./https.ts')).openHttps(https, this.#respond, parts));
      this.#bound = { ...(overTls && { tls: overTls }), ...(overHttps && { https: overHttps }) };
      return this.#bound;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    this.#bound = {};
    await Promise.all(open.map((socket) => socket.close()));
  }

  #opened(socket: SecureSocket): ListenAddress {
    this.#open = [...this.#open, socket];
    return { address: socket.address, port: socket.port };
  }
}
