import { errorCode, errorText } from '../../../../core/kit/errors.ts';
import type { VipService } from '../../table.ts';

/** One VIP port served by this process. */
export interface Listener {
  /** The backends that new connections or flows may use from now on. */
  use(service: VipService): void;
  /** Takes no new connections; resolves when the port is free again. Open connections go on. */
  close(): Promise<void>;
  /** Settles after `close` when nothing is open any more. */
  readonly ended: Promise<unknown>;
  /** Ends what is still open. */
  abort(): void;
  /** New connections or flows since the listener was opened. */
  readonly accepted: number;
}

/** Why a port could not be opened, as a person would say it. */
export function bindFault(key: string, error: unknown): string {
  return `Cannot serve ${key}: ${words[errorCode(error) ?? ''] ?? errorText(error)}`;
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'this user may not listen on ports below 1024',
  EADDRINUSE: 'another process listens on that address or port',
  EADDRNOTAVAIL: 'the address is not one of this machine (the VIP range must lie in 127.0.0.0/8)',
};
