import { CniError } from './errors.ts';

const IDENTIFIER = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Network names and container ids share one rule (specification, section 1). */
export function isIdentifier(value: string): boolean {
  return IDENTIFIER.test(value);
}

/** Linux: 1 to 15 bytes, not `.` or `..`, no `/`, `:` or white space. */
export function isInterfaceName(value: string): boolean {
  const bytes = Buffer.byteLength(value);
  return bytes >= 1 && bytes <= 15 && value !== '.' && value !== '..' && !/[/:\s]/.test(value);
}

/** One end of a network in one container. */
export type AttachmentKey = { readonly containerId: string; readonly ifName: string };

/** @throws CniError WEIR_CNI_ARGUMENT naming every value that breaks a rule. */
export function checkKey(key: AttachmentKey): void {
  const faults: string[] = [];
  if (!isIdentifier(key.containerId)) {
    faults.push(`container id "${key.containerId}" must match ${IDENTIFIER.source}`);
  }
  if (!isInterfaceName(key.ifName)) {
    faults.push(`interface name "${key.ifName}" must be 1 to 15 bytes without "/", ":" or white space`);
  }
  if (faults.length > 0) throw new CniError('WEIR_CNI_ARGUMENT', faults.join('; '), { cniCode: 4 });
}
