import type { OpenSocket } from '../sockets.ts';

/** PEM. */
export type Credentials = { readonly cert: string; readonly key: string };

export type SecureSocket = OpenSocket & {
  /** New connections get these from now on. */
  renew(credentials: Credentials): void;
};
