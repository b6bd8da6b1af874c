import { CniError } from './errors.ts';

/** Every published version of the specification, oldest first. */
export const KNOWN_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof KNOWN_VERSIONS)[number];
export const NEWEST_VERSION: CniVersion = '1.1.0';

export function isKnownVersion(value: string): value is CniVersion {
  return KNOWN_VERSIONS.some((known) => known === value);
}

export function atLeast(version: CniVersion, wanted: CniVersion): boolean {
  return KNOWN_VERSIONS.indexOf(version) >= KNOWN_VERSIONS.indexOf(wanted);
}

/**
 * The highest offered version that this runtime knows. Unknown ones are passed over, so that a list written for a future runtime still
 * works if it also names a version of today.
 */
export function selectVersion(offered: readonly string[]): CniVersion | undefined {
  return KNOWN_VERSIONS.findLast((known) => offered.includes(known));
}

/** @throws CniError WEIR_CNI_VERSION that lists the known versions. */
export function requireVersion(value: string): CniVersion {
  if (isKnownVersion(value)) return value;
  const reason = `CNI version "${value}" is unknown, known are ${KNOWN_VERSIONS.join(', ')}`;
  throw new CniError('WEIR_CNI_VERSION', reason, { cniCode: 1 });
}
