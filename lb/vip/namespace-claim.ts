import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { errorCode, WeirError } from '../../core/kit/errors.ts';
import type { Part } from '../../core/kit/part.ts';

/** Another Weir has the virtual IPs of this network namespace; two would undo each other's tables. */
export class NamespaceTaken extends WeirError {
  constructor(owner: string) {
    super(
      'WEIR_NAMESPACE_TAKEN',
      `Cannot start virtual IPs: this network namespace has those of another Weir already (${owner})`,
      { next: 'Stop it, or run this one in a network namespace of its own (weir lab does).' },
    );
  }
}

/**
 * Claims the kernel's tables of a network namespace for this process: by the name of an abstract socket, which there is once
 * in each network namespace and which vanishes with its process, however that ends. Whoever asks is told who has it.
 */
export class NamespaceClaim implements Part {
  readonly #owner: string;
  readonly #name: string;
  #server: Server | undefined;

  /** `owner`: for people, such as `process 12, data in /var/lib/weir`. */
  constructor(owner: string, { name = 'weir-virtual-ips' }: { readonly name?: string } = {}) {
    this.#owner = owner;
    this.#name = `\0${name}`;
  }

  /** Throws NamespaceTaken. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => socket.on('error', () => {}).end(this.#owner));
    server.listen({ path: this.#name });
    try {
      await once(server, 'listening');
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') throw error;
      throw new NamespaceTaken(await this.#asked());
    }
    server.unref();
    this.#server = server;
  }

  async stop(): Promise<void> {
    this.#server?.close();
    this.#server = undefined;
  }

  async #asked(): Promise<string> {
    const socket = connect({ path: this.#name });
    socket.setTimeout(1_000, () => socket.destroy());
    return text(socket).catch(() => 'it does not say which');
  }
}
