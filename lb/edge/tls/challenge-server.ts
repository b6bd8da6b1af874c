import type { Socket } from 'node:net';
import type { SecureContext, Server } from 'node:tls';
import { scanHello } from '../listeners/client-hello.ts';
import type { Proof } from './challenge-answers.ts';

export const challengeProtocol = 'acme-tls/1';
const helloMs = 5_000;

/** Takes the connections of authorities that look whether a host is ours (RFC 8737 §3): one handshake, nothing more. */
export class ChallengeServer {
  readonly #find: (host: string) => Proof | undefined;
  #server: Promise<Server> | undefined;

  constructor(find: (host: string) => Proof | undefined) {
    this.#find = find;
  }

  /** Looks at what the client says first; `others` gets it back untouched when it is no authority. */
  look(socket: Socket, others: (socket: Socket) => void): void {
    const late = setTimeout(() => socket.destroy(), helloMs);
    let seen = Buffer.alloc(0);
    const over = () => {
      clearTimeout(late);
      socket.off('readable', read);
      socket.off('close', over);
      socket.off('end', ended);
    };
    const ended = () => socket.destroy();
    const read = () => {
      const bytes: unknown = socket.read();
      if (Buffer.isBuffer(bytes)) seen = Buffer.concat([seen, bytes]);
      const scan = scanHello(seen);
      if (scan.kind === 'incomplete') return;
      over();
      socket.unshift(seen);
      const isAuthority = scan.kind === 'hello' && scan.hello.protocols.includes(challengeProtocol);
      if (isAuthority) void this.#take(socket);
      else others(socket);
    };
    socket.on('readable', read).on('close', over).on('end', ended);
  }

  async #take(socket: Socket): Promise<void> {
    this.#server ??= this.#create();
    const server = await this.#server;
    server.emit('connection', socket);
  }

  async #create(): Promise<Server> {
    const { createServer, createSecureContext } = await import('node:tls');
    const context = (name: string): SecureContext | undefined => {
      const pair = this.#find(name.toLowerCase());
      return pair && createSecureContext({ ...pair, minVersion: 'TLSv1.2' });
    };
    const server = createServer({
      ALPNProtocols: [challengeProtocol],
      minVersion: 'TLSv1.2',
      handshakeTimeout: helloMs,
      SNICallback: (name, done) => {
        const found = context(name);
        if (found === undefined) done(new Error(`nothing is to be proved of ${name}`));
        else done(null, found);
      },
    });
    server.on('secureConnection', (accepted) => accepted.on('error', () => {}).end());
    server.on('tlsClientError', (_error, refused) => refused.destroy());
    return server;
  }
}
