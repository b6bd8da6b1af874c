import { tryRun } from '../core/kit/exec.ts';
import type { Attached } from './attach.ts';

/** Tells the link of a container who has its address now. Never throws: at worst the neighbours find out by themselves. */
export type Announce = (attached: Pick<Attached, 'ifName' | 'gateway'>, netns: string) => Promise<void>;

/**
 * An address that another container had a moment ago is still in the neighbours' tables with that one's MAC, for half a minute
 * under traffic; the plugin's own announcement comes before its port forwards. So the container asks for its gateway: whoever
 * hears a question takes the MAC of who asks (RFC 826).
 */
export const announce: Announce = async ({ ifName, gateway }, netns) => {
  if (gateway === undefined || netns === '') return;
  const asks = ['ip', 'neigh', 'replace', gateway, 'dev', ifName, 'use'];
  await tryRun('nsenter', [`--net=${netns}`, '--', ...asks]).catch(() => {});
};
