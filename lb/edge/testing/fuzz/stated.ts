/** Why the edge refuses what llhttp lets pass, by the reason the client is told. Any other reason is a fault of ours. */
export const stated: Readonly<Record<string, string>> = {
  'malformed Host': 'RFC 9110 §7.2: it chooses the route, and llhttp does not look at it',
  'no Host': 'RFC 9112 §3.2',
  'more than one Host': 'RFC 9112 §3.2',
  'malformed Connection':
    'it would drop framing fields on the way (RFC 9110 §7.6.1), or is no list of tokens',
  'unknown expectation': 'RFC 9110 §10.1.1: 417',
  'malformed request target': 'RFC 9112 §3.2: only origin, absolute and asterisk form, without fragment',
  'malformed first line': 'PRI is no request (RFC 9113 §11.6); a blank before the method',
  'a line feed without carriage return': 'RFC 9112 §2.2: llhttp skips them before a request',
  'a carriage return without line feed':
    'RFC 9112 §2.2: llhttp skips them before a request; one empty line is enough',
  'malformed Content-Length': 'a tab beside it; more digits than can be exact',
  'more than one length': 'RFC 9112 §6.3: also where both say the same',
  'malformed Transfer-Encoding': 'RFC 9112 §6.1: also in HTTP/1.0, and with a tab beside it',
  'unknown transfer coding': 'RFC 9112 §6.1: 501',
  'unknown HTTP version': 'RFC 9110 §15.6.6: 505, where llhttp takes 0.9 and 2.0',
  'malformed content':
    'an extension without a value; trailers that are no fields, or would frame the message',
  'header section too large': 'RFC 6585 §5: 431',
  'CONNECT is not served here': 'RFC 9110 §9.3.6: 405',
};

/** Reasons of a run that are not stated. */
export function unstated(outcomes: Readonly<Record<string, number>>): readonly string[] {
  const reasons = Object.keys(outcomes).flatMap((outcome) => outcome.split('only we refuse: ').slice(1));
  return reasons.filter((reason) => stated[reason] === undefined);
}
