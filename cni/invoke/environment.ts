import { delimiter } from 'node:path';
import type { Attachment } from '../attachment.ts';
import { CniError } from '../errors.ts';

export type Command = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS' | 'VERSION';

/** Exactly the variables of the specification for the command. */
export function environment(
  command: Command,
  dirs: readonly string[],
  attachment?: Attachment,
): Readonly<Record<string, string>> {
  return {
    CNI_COMMAND: command,
    ...(command === 'VERSION' ? {} : { CNI_PATH: dirs.join(delimiter) }),
    ...(attachment === undefined ? {} : attachmentVariables(attachment)),
  };
}

function attachmentVariables({
  containerId,
  ifName,
  netns,
  cniArgs = [],
}: Attachment): Record<string, string> {
  const args = cniArgs.map((pair) => pair.join('=')).join(';');
  return {
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: ifName,
    ...(args === '' ? {} : { CNI_ARGS: args }),
  };
}

/** `CNI_ARGS` has no quoting. @throws CniError WEIR_CNI_ARGUMENT */
export function checkArgs({ cniArgs = [] }: Attachment): void {
  const faulty = cniArgs.filter(([key, value]) => key === '' || /[;=\0]/.test(key) || /[;\0]/.test(value));
  if (faulty.length === 0) return;
  const pairs = faulty.map((pair) => pair.join('=')).join(', ');
  throw new CniError('WEIR_CNI_ARGUMENT', `CNI arguments must not hold ";": ${pairs}`, { cniCode: 4 });
}
