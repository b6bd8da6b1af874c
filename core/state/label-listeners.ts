import { isIP } from 'node:net';
import type { Listener, ListenerOptions } from '../model/listener.ts';
import type { PortRequest } from '../model/ports.ts';
import type { Route, RouteOptions } from '../model/route.ts';
import { words } from './label-values.ts';

export type LabelListener = { readonly listener: Listener; readonly route: Route };

type Label = (name: string) => string | undefined;

type Port = {
  /** `app:/shop/web:0`. */
  readonly id: string;
  readonly number: number;
  readonly common: Pick<Route, 'service' | 'owner' | 'backend'>;
  readonly label: Label;
  readonly mode: 'http' | 'tcp';
  readonly options: RouteOptions;
};

/**
 * The place of a service port: marathon-lb binds every one of its group, whether a virtual host leads there or not, while the app has
 * a server (ingress.md B1, B4).
 */
export function portListener(
  { protocols }: PortRequest,
  { id, number, common, label, mode, options }: Port,
): LabelListener | undefined {
  if (!protocols.includes('tcp')) return undefined;
  const address = addressOf(label);
  const own = { protocol: mode === 'http' && label('SSL_CERT') !== undefined ? 'https' : mode } as const;
  const bind = bindOptions(label('BIND_OPTIONS')).options;
  const { owner, service } = common;
  const listener = {
    ...{ id, owner, port: number, ...own, table: id, whileServed: service },
    ...(address !== undefined && { address }),
    ...(Object.keys(bind).length > 0 && { options: bind }),
  };
  // Of the shared frontends on 80 and 443 only (ingress.md B2).
  const { redirectToHttps: _, hsts: __, ...rest } = options;
  const route = {
    ...{ id: `${id}:port`, table: id, host: '*', pathPrefix: '/', ...common },
    ...(Object.keys(rest).length > 0 && { options: rest }),
  };
  return { listener, route };
}

/** `*` is every address; absent: where the edge serves HTTP. */
function addressOf(label: Label): string | undefined {
  const given = label('BIND_ADDR');
  if (given === '*') return '0.0.0.0';
  return given === undefined || isIP(given) === 0 ? undefined : given;
}

/** What words of a bind line mean here, and those that nothing comes of. */
export function bindOptions(text: string | undefined): {
  readonly options: ListenerOptions;
  readonly rest: readonly string[];
} {
  const all = words(text, /\s+/);
  const accepts = all.includes('accept-proxy');
  return {
    options: accepts ? { acceptProxy: ['0.0.0.0/0', '::/0'] } : {},
    rest: all.filter((word) => word !== 'accept-proxy'),
  };
}
