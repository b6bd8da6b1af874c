/**
 * The label function of Mesos-DNS in RFC 1123 mode (dns.md §2.1, §2.2): lower-cases, maps `.` and `_` to `-`,
 * drops every other character, trims dashes, and cuts to `max` with the refill rule for dashes at the cut.
 */
export function dnsLabel(text: string, max = 63): string {
  const mapped = text
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[._]/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .replace(/^-+/, '');
  const head = mapped.slice(0, max);
  const trimmed = head.replace(/-+$/, '');
  const stripped = head.length - trimmed.length;
  if (stripped === 0) return head;
  const refill = mapped.slice(max).replace(/^-+/, '').slice(0, stripped);
  return (trimmed + refill).replace(/-+$/, '');
}

/** Applies the label function between dots; empty pieces vanish (dns.md §2.2). */
export function domainFrag(name: string): string {
  return name
    .split('.')
    .map((piece) => dnsLabel(piece))
    .filter((piece) => piece !== '')
    .join('.');
}

/** An app's own name in zone `weir`, without the zone: `/shop/web` → `web.shop`. */
export function weirName(appId: string): string {
  return domainFrag(appId.slice(1).split('/').reverse().join('.'));
}
