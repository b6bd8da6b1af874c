/**
 * A path as the most lenient of servers may read it (lb/edge/routes/lenient-path.ts): a route that may refuse also takes what its endpoint
 * may read as its path, so that a service behind `/` is no way past `/admin`.
 */

/** Told by their names: only what is part of a map's value is known where a request is looked up. */
const guarded = 'bk';
/** Of a request whose path can be read otherwise. */
export const isOdd = '{ var(txn.lenient) -m found }';

/** The beginning of the names of backends: `restricts`: their routes may refuse. */
export function backendPrefix(prefix: string, restricts: boolean): string {
  return restricts ? `${prefix}k` : prefix;
}

export function isGuarded(backend: string): boolean {
  return backend.startsWith(guarded);
}

/** `txn.lenient`, where there is one. What is forwarded stays as it came. */
export const lenientLines: readonly string[] = [
  `http-request set-var(txn.lenient) "path,${[
    "regsub('%25','%',g)",
    "regsub('%(c0|e0%80)%ae','.',gi)",
    String.raw`regsub('\\\\|%2f|%5c|%(c0|e0%80)%af|%c1%9c','/',gi)`,
    "regsub('(;|%3b)[^/]*','',gi)",
  ].join(',')}" if { path -m reg -i '[;\\\\]|//|%(2f|5c|3b|25|c[01]|e0)' }`,
  `http-request set-var(txn.asked) pathq if ${isOdd}`,
  `http-request set-path '%[var(txn.lenient)]' if ${isOdd}`,
  `http-request normalize-uri path-merge-slashes if ${isOdd}`,
  // With a condition HAProxy 2.6 leaves this one out; what it changes of other paths is put back (`pathLines` in public-lines.ts).
  'http-request normalize-uri percent-decode-unreserved',
  `http-request normalize-uri path-strip-dot if ${isOdd}`,
  `http-request normalize-uri path-strip-dotdot full if ${isOdd}`,
  `http-request set-var(txn.lenient) path if ${isOdd}`,
  `http-request set-pathq '%[var(txn.asked)]' if ${isOdd}`,
];

/** `find`: looks `txn.path` up, under a further condition, unless `txn.be` is found. */
export function lookingTwice(find: (when: string) => readonly string[]): readonly string[] {
  return [
    `http-request set-var(txn.written) var(txn.path) if ${isOdd}`,
    `http-request set-var(txn.path) var(txn.lenient) if ${isOdd}`,
    ...find(isOdd),
    `http-request unset-var(txn.be) if ${isOdd} !{ var(txn.be) -m beg ${guarded} }`,
    `http-request set-var(txn.path) var(txn.written) if ${isOdd}`,
    ...find(''),
  ];
}
