import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { silentLog } from '../../../core/kit/log.ts';
import { EbpfVips } from '../backends/ebpf/ebpf.ts';
import { cgroupRoot, socketPrograms } from '../socket-programs.ts';
import { createLab, type Lab } from './lab.ts';
import { bothOf } from './nftables-lab.ts';

const root = process.getuid?.() === 0 ? await cgroupRoot() : undefined;

/** A reason to skip, or false. */
export const needsBpf =
  root === undefined
    ? 'needs root and version 2 of control groups'
    : existsSync(socketPrograms)
      ? false
      : 'needs clang';

export type EbpfLab = { readonly lab: Lab; readonly backend: EbpfVips; readonly group: string };

/** A lab whose containers have a control group of their own; ends with the test. */
export async function ebpfLab(t: Test, id: string): Promise<EbpfLab> {
  const group = `weirvip-${process.pid}-${id}`;
  const folder = join(root ?? '', group);
  mkdirSync(folder, { recursive: true });
  const lab = await createLab(id, { group: folder });
  const backend = ebpfOf(lab, group);
  t.teardown(async () => {
    await backend.stop({ remove: true });
    await lab.close();
    if (existsSync(folder)) rmdirSync(folder);
  });
  return { lab, backend, group };
}

/** As a process that was started again would make it. */
export function ebpfOf(lab: Lab, group: string): EbpfVips {
  return new EbpfVips(
    { log: silentLog, kernel: bothOf(lab), host: lab.host },
    { object: socketPrograms, containers: [group] },
  );
}
