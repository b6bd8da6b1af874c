import type { AppId } from './ids.ts';

/** Names one port of one app; its endpoints are found through `Directory.byApp`. */
export type ServiceRef = { readonly appId: AppId; readonly portIndex: number };

/** A public route: requests that fit its rule go to a service. */
export type Route = RouteRule & {
  readonly id: string;
  readonly service: ServiceRef;
  /** Who declared it: `app:/shop/web` (labels) or `route:<id>` (operator). */
  readonly owner: string;
  /** What statistics call the place it leads to: marathon-lb's or Edge-LB's name of the backend (ingress.md B4). */
  readonly backend?: string;
  readonly options?: RouteOptions;
};

/** What a route claims: its host, in its table. The shared table's hosts are as they are. */
export function claimOf({ host, table }: Pick<Route, 'host' | 'table'>): string {
  return `${scopeOf(table)}${host}`;
}

/** What is put in front of the hosts of a table; no host has it in it. */
export function scopeOf(table: string | undefined): string {
  return table === undefined ? '' : `${table}|`;
}

/** Which requests a route takes: those that fit all of it. */
export type RouteRule = {
  /** Lower case, no port; `*.example.org` matches one or more labels, `*` every host. */
  readonly host: string;
  /** The table of a listener that alone serves it (`tableOf`); absent: every listener without a table of its own does. */
  readonly table?: string;
  /**
   * Begins with `/`. A prefix matches whole segments, `/` all; `begins` is compared character by character; a regular expression with
   * the whole path.
   */
  readonly pathPrefix: string;
  /** How `pathPrefix` is compared; absent: as a prefix. */
  readonly pathKind?: 'exact' | 'begins' | 'regex';
  /** The path is compared without regard to case. */
  readonly ignoreCase?: true;
  readonly conditions?: RouteConditions;
  /** Of routes with the same host, the same path and as many conditions the heavier one is taken. Default 0. */
  readonly weight?: number;
  /** Given, or 1 where there is a path and 0 where there is none: the greater goes first, before paths are looked at (ingress.md B4). */
  readonly rank?: number;
  /** Given: it is tried at this place of its list, however narrow it is; routes with and without do not mix in one table. */
  readonly order?: number;
};

/** Everything here must hold besides host and path. */
export type RouteConditions = {
  /** One of these, upper case. */
  readonly methods?: readonly string[];
  readonly headers?: readonly ValueCondition[];
  readonly query?: readonly ValueCondition[];
  /** RE2 syntax, any case; found anywhere in Host as the client wrote it, with its port. */
  readonly hostLike?: string;
  /** All of these hold for the path. */
  readonly paths?: readonly PathCondition[];
  /** None of these does. */
  readonly unless?: readonly { readonly host?: string; readonly pathBegins?: string }[];
};

/** Character by character, not by segments. `like`: RE2 syntax, found anywhere in the path. */
export type PathCondition =
  | { readonly begins: string }
  | { readonly ends: string }
  | { readonly like: string };

/** About a header field (any case) or a query parameter (this case). Without `exact`, `regex` and `absent`: it is there. */
export type ValueCondition = {
  readonly name: string;
  readonly exact?: string;
  /** RE2 syntax, compared with the whole value. */
  readonly regex?: string;
  /** It must not be there. */
  readonly absent?: true;
};

/** What happens to the requests and answers of a route besides being passed on. */
export type RouteOptions = AccessOptions & AnswerOptions & RewriteOptions & TrafficOptions;

/** Who may ask, and how much. */
export type AccessOptions = {
  /** Addresses and ranges (`10.0.0.0/8`) that may ask; others get 403. */
  readonly allow?: readonly string[];
  /** Addresses and ranges that get 403, even if they are among the allowed. */
  readonly deny?: readonly string[];
  /** Who asks must name this user and password. */
  readonly auth?: BasicAuth;
  /** Who asks shows a certificate that one of these authorities signed. */
  readonly clientCertificate?: ClientCertificate;
  /** Another service is asked first whether the request may pass. */
  readonly forwardAuth?: ForwardAuth;
  readonly limits?: RouteLimits;
};

/** Answers of the edge itself. */
export type AnswerOptions = {
  /** Requests that come without TLS are sent to the same place with TLS (301). */
  readonly redirectToHttps?: true;
  /** Where a request for exactly `/` is sent (301). */
  readonly rootTo?: string;
  /** Every request is sent elsewhere. */
  readonly redirect?: Redirect;
  /** Every request gets this page. */
  readonly maintenance?: Maintenance;
};

/** What is changed on the way. */
export type RewriteOptions = {
  /** Answers over TLS tell the browser to come with TLS from now on. */
  readonly hsts?: true;
  /** Taken off the front of the path; Host becomes the route's host unless `rewriteHost` is given. */
  readonly stripPrefix?: string;
  /** Put in front of the path in `Location` of answers. */
  readonly locationPrefix?: string;
  /** A `Location` on this host whose path begins with `from` begins with `to` instead (ingress.md A6). */
  readonly rewriteLocation?: { readonly from: string; readonly to: string };
  readonly rewritePath?: PathRewrite;
  /** Host as the service gets it. */
  readonly rewriteHost?: string;
  readonly requestFields?: FieldEdits;
  readonly answerFields?: FieldEdits;
  /** Content of answers is compressed for clients that can read it so. */
  readonly compress?: Compression;
};

/** Where requests go, and how patiently. */
export type TrafficOptions = {
  /** Other services that get a share of the requests. */
  readonly split?: readonly RouteShare[];
  /** Share of the route's own service beside `split`; default 100. */
  readonly ownShare?: number;
  readonly mirror?: Mirror;
  readonly balance?: RouteBalance;
  /** What `hash` balances by; default the client's address. */
  readonly hashBy?: HashBy;
  /** A client stays with the endpoint that answered first, by a cookie. */
  readonly sticky?: true;
  /** The cookie's name; default `mesosphere_server_id`. */
  readonly stickyCookie?: string;
  readonly retries?: Retries;
  readonly timeouts?: RouteTimeouts;
  readonly check?: ActiveCheck;
  /** Endpoints speak TLS; absent: they do not. Checks of the edge do as well. */
  readonly tls?: UpstreamTls;
  /** Each connection to an endpoint begins with a PROXY header of this version, and carries one client's requests only. */
  readonly sendProxy?: 'v1' | 'v2';
  /** What endpoints speak; absent: HTTP/1.1. */
  readonly protocol?: UpstreamProtocol;
};

/** HTTP/2, as gRPC wants it: `h2c` without TLS, `h2` with (`tls` is given then). */
export type UpstreamProtocol = 'h2c' | 'h2';

/** How endpoints are spoken to over TLS, and how they are known for what they are. */
export type UpstreamTls = {
  /** PEM: who may have signed their certificates; absent: whom the system trusts. */
  readonly authorities?: string;
  /** Asked for (SNI) and looked for in their certificates; absent: the endpoint's address is. */
  readonly serverName?: string;
  /** Whatever they show is taken. */
  readonly insecure?: true;
  /** What is shown to them: the name of a certificate in the store. */
  readonly certificate?: string;
};

/** `crypted`: what crypt(3) made of the password, `$5$…` or `$6$…`. */
export type BasicAuth = { readonly realm: string; readonly user: string; readonly crypted: string };

export type ClientCertificate = {
  /** PEM: those that sign clients' certificates themselves, not by another one in between. */
  readonly authorities: string;
  /** Clients without one are served too. */
  readonly optional?: true;
  /** Tells the service its subject; default `X-Client-Subject`. What clients send by that name is dropped. */
  readonly field?: string;
  /** What else the service is told of it, and by which names; dropped of clients as well. */
  readonly fields?: CertificateFields;
};

/** `issuer` as RFC 4514 writes it, `serial` and `fingerprint` (SHA-256) in upper-case hex, `certificate` its DER in base64. */
export type CertificateFields = {
  readonly issuer?: string;
  readonly serial?: string;
  readonly fingerprint?: string;
  readonly certificate?: string;
};

/** `GET path` with the request's own fields; 2xx lets it pass, any other answer goes to the client. */
export type ForwardAuth = {
  readonly service: ServiceRef;
  readonly path: string;
  /** Fields of the answer that the service gets with the request. */
  readonly copy?: readonly string[];
};

/** Bounds of this route at one edge worker; beyond them clients get 429 (their own bound) or 503 (the route's). */
export type RouteLimits = {
  readonly perSecond?: number;
  /** How many may come at once after a pause; default one second's worth. */
  readonly burst?: number;
  /** Requests in flight. */
  readonly concurrent?: number;
  readonly clientPerSecond?: number;
  readonly clientBurst?: number;
  readonly clientConcurrent?: number;
};

/** What is absent stays as the client asked. */
export type Redirect = {
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
  readonly port?: number;
  /** The whole path. */
  readonly path?: string;
  /** Replaces the route's path prefix. */
  readonly prefix?: string;
};

export type Maintenance = {
  /** Default 503. */
  readonly status?: number;
  readonly text?: string;
  readonly contentType?: string;
  readonly retryAfterSeconds?: number;
  /** Addresses and ranges that get the service nevertheless. */
  readonly except?: readonly string[];
};

export type PathRewrite =
  /** Replaces the route's path prefix. */
  | { readonly prefix: string }
  /** `with` may name groups: `$1`. */
  | { readonly regex: string; readonly with: string }
  /** Replaces these characters at the front, whether a segment ends there or not (Edge-LB, ingress.md A6). */
  | { readonly from: string; readonly to: string };

/** Applied in this order: remove, set, add. */
export type FieldEdits = {
  readonly remove?: readonly string[];
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
};

export type Compression = {
  /** Media types; `text/*` stands for all of text. Default: text, JSON, JavaScript, XML, SVG, WebAssembly. */
  readonly types?: readonly string[];
  /** Shorter content stays as it is; default 1024. */
  readonly minBytes?: number;
};

export type RouteShare = { readonly service: ServiceRef; readonly share: number };

/** A copy of so many requests in a hundred goes there too; its answer is thrown away. */
export type Mirror = { readonly service: ServiceRef; readonly percent: number };

export type RouteBalance = 'round-robin' | 'least-requests' | 'two-choices' | 'hash';

export type HashBy = {
  readonly from: 'address' | 'header' | 'cookie' | 'query' | 'path';
  /** Of the header, cookie or parameter. */
  readonly name?: string;
};

export type Retries = {
  /** Beyond the first try; default 1. */
  readonly attempts?: number;
  /** Statuses of answers after which an idempotent request is sent again; default none. */
  readonly statuses?: readonly number[];
  /** At most so many of a hundred requests; default 20. */
  readonly budgetPercent?: number;
};

/** Milliseconds; absent: as the edge does. */
export type RouteTimeouts = {
  readonly connectMs?: number;
  /** From the request's last byte to the answer's first. */
  readonly firstByteMs?: number;
  /** Without progress of the answer. */
  readonly idleMs?: number;
  /** From the request's head to the answer's last byte. */
  readonly totalMs?: number;
};

/** The edge asks each endpoint by itself. */
export type ActiveCheck = {
  /** `GET path`; absent: a connection is enough. */
  readonly path?: string;
  /** What it is asked for as; default the endpoint's address. */
  readonly host?: string;
  /** Of the app's ports the one to ask; default the one that requests go to. */
  readonly portIndex?: number;
  /** Default 5000. */
  readonly intervalMs?: number;
  /** Default 2000. */
  readonly timeoutMs?: number;
  /** So many bad results in a row make an endpoint sick; default 3. */
  readonly fall?: number;
  /** So many good ones make it well; default 2. */
  readonly rise?: number;
  /** With a smaller share of well endpoints than this, sick ones are used too; default 0: only when none is well. */
  readonly panicPercent?: number;
};
