import { errorCode, errorText, WeirError } from './errors.ts';

export type ListenAddress = {
  /** IPv4 or IPv6; `0.0.0.0` and `::` are all of this machine. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
};

export type Protocol = 'udp' | 'tcp';

/** What a person knows about a listener beyond its address. */
export type ListenContext = {
  /** `API`, `resolver`, … */
  readonly what?: string;
  /** The option that moves it. */
  readonly flag?: string;
  /** Program and pid that have the port, where the kernel tells. */
  readonly holder?: string;
};

/** A socket could not be bound. */
export class BindFailed extends WeirError {
  readonly address: string;
  readonly port: number;
  readonly protocol: Protocol;

  constructor(code: string, at: ListenAddress & { readonly protocol: Protocol }, why: Why) {
    super(
      code,
      `Cannot listen on ${at.address}:${at.port} (${at.protocol})${why.what ?? ''}: ${why.reason}`,
      why,
    );
    this.address = at.address;
    this.port = at.port;
    this.protocol = at.protocol;
  }
}

type Why = {
  readonly reason: string;
  readonly next: string;
  readonly what?: string;
  readonly cause?: unknown;
};

/** Another process has the port. */
export class PortInUse extends BindFailed {
  constructor(
    at: ListenAddress & { readonly protocol?: Protocol },
    { what, flag, holder, cause }: ListenContext & { cause?: unknown } = {},
  ) {
    super(
      'WEIR_PORT_IN_USE',
      { protocol: 'tcp', ...at },
      {
        reason: holder === undefined ? 'another process has the port' : `the port is in use by ${holder}`,
        next: `Stop the program that has it, or choose another port${flag === undefined ? '' : ` with ${flag} HOST:PORT`}.`,
        ...(what === undefined ? {} : { what: ` for the ${what}` }),
        cause,
      },
    );
  }
}

/** The address is not one of this machine, or the port needs a right we do not have. */
export class CannotListen extends BindFailed {
  constructor(at: ListenAddress & { readonly protocol: Protocol }, cause: unknown) {
    const next = 'Use an address of this machine, and a port over 1023 or root.';
    super('WEIR_CANNOT_LISTEN', at, { reason: reasonOf(cause), next, cause });
  }
}

/** The error for a failed bind. */
export function listenError(
  { address, port }: ListenAddress,
  protocol: Protocol,
  cause: unknown,
): BindFailed {
  const at = { address, port, protocol };
  return errorCode(cause) === 'EADDRINUSE' ? new PortInUse(at, { cause }) : new CannotListen(at, cause);
}

function reasonOf(cause: unknown): string {
  const code = errorCode(cause);
  if (code === 'EACCES') return 'the port needs root or CAP_NET_BIND_SERVICE';
  if (code === 'EADDRNOTAVAIL') return 'the address is not one of this machine';
  return errorText(cause);
}
