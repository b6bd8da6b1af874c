import { timestamp } from '../core/kit/clock.ts';
import type { Version } from '../core/model/ids.ts';

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** A version as it is stored: clients may leave out milliseconds, or give another offset (Marathon §1.4). Other text stays. */
export function versionOf(text: string): Version {
  const time = iso.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? text : timestamp(time);
}
