import type { Frontend, LinkRule, PoolProtocol } from '../../model/edgelb/pool.ts';
import type { Route, RouteConditions, RouteOptions } from '../../model/route.ts';
import { nowhere } from '../../model/route-definition.ts';
import { isSecure, type PoolNote } from './backend-options.ts';

export type BackendTarget = {
  readonly setKey: string;
  /** The backend's name. */
  readonly name: string;
  readonly options: RouteOptions;
  readonly protocol: PoolProtocol;
};

export type FrontendSources = {
  /** `pool:NAME`. */
  readonly owner: string;
  readonly frontend: Frontend;
  readonly backends: ReadonlyMap<string, BackendTarget>;
  /** Of the frontend's listener. */
  readonly table: string;
};

/** The rules of a frontend of HTTP or HTTPS as routes in their order (ingress.md A2.3, A5). */
export function frontendRoutes({ owner, frontend, backends, table }: FrontendSources): readonly Route[] {
  const { map, defaultBackend } = frontend.linkBackend;
  const rules = [
    ...(frontend.redirectToHttps === undefined ? [] : [redirectRule(frontend.redirectToHttps)]),
    ...map.flatMap((rule) => mapRule(rule, backends.get(rule.backend))),
    restRule(backends.get(defaultBackend)),
  ];
  return rules.map((rule, order) => ({
    id: `${owner}:${frontend.name}:${order}`,
    table,
    pathPrefix: '/',
    owner,
    order,
    ...rule,
  }));
}

type Rule = Pick<Route, 'host' | 'service' | 'conditions' | 'backend' | 'options'>;

const none = { appId: nowhere, portIndex: 0 };

function redirectRule({ except }: NonNullable<Frontend['redirectToHttps']>): Rule {
  const unless = except.map(({ host, pathBeg }) => ({
    ...(host !== undefined && host !== '' && { host: host.toLowerCase() }),
    ...(pathBeg !== undefined && { pathBegins: pathBeg }),
  }));
  return {
    host: '*',
    service: none,
    ...(unless.length > 0 && { conditions: { unless } }),
    options: { redirect: { status: 307, scheme: 'https', port: 443 } },
  };
}

/** A host that no request can name takes none. */
function mapRule(rule: LinkRule, target: BackendTarget | undefined): readonly Rule[] {
  const host = rule.hostEq === undefined || rule.hostEq === '' ? '*' : plainHost(rule.hostEq);
  if (host === undefined || target === undefined) return [];
  const conditions = conditionsOf(rule);
  return [
    {
      host,
      service: { appId: target.setKey, portIndex: 0 },
      backend: target.name,
      ...(Object.keys(conditions).length > 0 && { conditions }),
      options: optionsOf(target),
    },
  ];
}

/** Rules whose host none can name: a port is no part of what is compared (ingress.md A5). */
export function hostNotes({ protocol, linkBackend: { map } }: Frontend, path: string): readonly PoolNote[] {
  if (protocol === 'TCP') return [];
  return map.flatMap(({ hostEq = '' }, n) =>
    hostEq === '' || plainHost(hostEq) !== undefined
      ? []
      : [
          {
            path: `${path}/linkBackend/map/${n}/hostEq`,
            error: `'${hostEq}' can be no host without its port: the rule takes nothing`,
          },
        ],
  );
}

/** Edge-LB does not look at certificates of servers (ingress.md A2.4). */
function optionsOf(target: BackendTarget): RouteOptions {
  if (!isSecure(target)) return target.options;
  const { protocol } = target.options;
  return { ...target.options, tls: { insecure: true }, ...(protocol && { protocol: 'h2' }) };
}

/** Equal as a whole: a star in it is a star. */
function plainHost(text: string): string | undefined {
  const host = text.toLowerCase().replace(/\.$/, '');
  return /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$/.test(host) ? host : undefined;
}

function conditionsOf({ hostReg, pathBeg, pathEnd, pathReg }: LinkRule): RouteConditions {
  const paths = [
    ...(given(pathBeg) ? [{ begins: pathBeg ?? '' }] : []),
    ...(given(pathEnd) ? [{ ends: pathEnd ?? '' }] : []),
    ...(given(pathReg) ? [{ like: pathReg ?? '' }] : []),
  ];
  return { ...(given(hostReg) && { hostLike: hostReg ?? '' }), ...(paths.length > 0 && { paths }) };
}

function given(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}

/** What no rule takes. */
function restRule(target: BackendTarget | undefined): Rule {
  if (target !== undefined)
    return {
      host: '*',
      service: { appId: target.setKey, portIndex: 0 },
      backend: target.name,
      options: optionsOf(target),
    };
  const text = 'No rule of this frontend takes the request.';
  return { host: '*', service: none, options: { maintenance: { text } } };
}
