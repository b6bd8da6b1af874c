/** What the label function strips from the beginning, and where it cuts. */
export type LabelRule = { readonly leading: RegExp; readonly max: number };

const rfc1123: LabelRule = { leading: /^-+/, max: 63 };
/** Mesos-DNS with `enforceRFC952` (dns.md §2.2). */
export const rfc952: LabelRule = { leading: /^[-0-9]+/, max: 24 };

/** What no rule changes anything of, but for its length. */
const plainLabel = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;

/** The label function of Mesos-DNS in RFC 1123 mode, cut to `max`. */
export function dnsLabel(text: string, max: number = rfc1123.max): string {
  return labelBy(text, { ...rfc1123, max });
}

/**
 * The label function of Mesos-DNS (dns.md §2.1, §2.2): lower-cases, maps `.` and `_` to `-`, drops every other character,
 * trims dashes, and cuts with the refill rule for dashes at the cut.
 */
export function labelBy(text: string, { leading, max }: LabelRule): string {
  // nearly every name is a label already
  if (text.length <= max && plainLabel.test(text)) return text;
  const mapped = text
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[._]/g, '-')
    .replace(/[^a-z0-9-]/g, '')
    .replace(leading, '');
  const head = mapped.slice(0, max);
  const trimmed = head.replace(/-+$/, '');
  const stripped = head.length - trimmed.length;
  if (stripped === 0) return head;
  const refill = mapped.slice(max).replace(/^-+/, '').slice(0, stripped);
  return (trimmed + refill).replace(/-+$/, '');
}

/** Applies the label function between dots; empty pieces vanish (dns.md §2.2). */
export function domainFrag(name: string, rule: LabelRule = rfc1123): string {
  return name
    .split('.')
    .map((piece) => labelBy(piece, rule))
    .filter((piece) => piece !== '')
    .join('.');
}

/** An app's own name in zone `weir`, without the zone: `/shop/web` → `web.shop`. */
export function weirName(appId: string): string {
  return domainFrag(appId.slice(1).split('/').reverse().join('.'));
}
