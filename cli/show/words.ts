/** How long ago, in the one unit that matters: `12s`, `5m`, `3h`, `2d`. */
export function age(since: string | number | undefined, now: number): string {
  const at = typeof since === 'string' ? Date.parse(since) : since;
  if (at === undefined || Number.isNaN(at)) return '-';
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** `1 instance`, `2 instances`. */
export function count(many: number, noun: string): string {
  return `${many} ${noun}${many === 1 ? '' : 's'}`;
}
