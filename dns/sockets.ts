import { errorCode, errorText, WeirError } from '../core/kit/errors.ts';
import type { Respond } from './respond.ts';

export type ListenAddress = {
  /** IPv4 or IPv6; `0.0.0.0` and `::` are all of this machine. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
};

export type Protocol = 'udp' | 'tcp';

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
   * resolves, in any order. Resolves with the bound address. Throws PortInUse or CannotListen.
   */
  open(at: ListenAddress, respond: Respond): Promise<OpenSocket>;
}

/** A listening address cannot be had: PortInUse or CannotListen. `cause` is the system's error. */
export class BindFailed extends WeirError {
  readonly listen: ListenAddress;
  readonly protocol: Protocol;

  constructor(code: string, where: { listen: ListenAddress; protocol: Protocol }, why: Why) {
    const { listen, protocol } = where;
    const port = `${listen.address} ${protocol.toUpperCase()} port ${listen.port}`;
    super(code, `Cannot listen on ${port}: ${why.reason}`, why);
    this.listen = listen;
    this.protocol = protocol;
  }
}

type Why = { readonly reason: string; readonly next: string; readonly cause: unknown };

/** Another process has the port. */
export class PortInUse extends BindFailed {
  constructor(where: { listen: ListenAddress; protocol: Protocol }, cause: unknown) {
    const next = 'Stop the process that has the port, or choose another port.';
    super('WEIR_PORT_IN_USE', where, { reason: 'another process has it', next, cause });
  }
}

/** The address is not one of this machine, or the port needs a right we do not have. */
export class CannotListen extends BindFailed {
  constructor(where: { listen: ListenAddress; protocol: Protocol }, cause: unknown) {
    const next = 'Use an address of this machine, and a port over 1023 or root.';
    super('WEIR_CANNOT_LISTEN', where, { reason: reasonOf(cause), next, cause });
  }
}

/** The error for a failed bind. */
export function listenError(listen: ListenAddress, protocol: Protocol, cause: unknown): BindFailed {
  const where = { listen, protocol };
  return errorCode(cause) === 'EADDRINUSE' ? new PortInUse(where, cause) : new CannotListen(where, cause);
}

function reasonOf(cause: unknown): string {
  const code = errorCode(cause);
  if (code === 'EACCES') return 'the port needs root or CAP_NET_BIND_SERVICE';
  if (code === 'EADDRNOTAVAIL') return 'the address is not one of this machine';
  return errorText(cause);
}
