import type { Vip } from '../../core/model/directory.ts';
import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-source.ts';
import { reverseName } from './reverse.ts';
import { Sheet } from './sheet.ts';

/** A VIP answers for every one of its names whether it has backends or not: its address never changes. */
export function recordsOfVip(
  vip: Vip,
  options: ZoneOptions,
  before: readonly Given[] = [],
): readonly Given[] {
  const sheet = new Sheet(options.ttl, { before });
  const names = vip.names.map((name) => name.toLowerCase());
  for (const name of names) sheet.addresses('name of a VIP', name, [vip.address]);
  const reverse = reverseName(vip.address);
  const own = names.find((name) => name.endsWith(`.${options.weirDomain}`)) ?? names[0];
  if (reverse !== undefined && own !== undefined) {
    sheet.target('address of a VIP', 'PTR', reverse, own);
  }
  return sheet.given;
}
