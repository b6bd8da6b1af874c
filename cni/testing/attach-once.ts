/** Attaches once, as told by its argument: a process that a test can kill in the middle. */
import { silentLog } from '../../core/kit/log.ts';
import { createCni } from '../cni.ts';
import { networkOf } from '../config/network.ts';
import { createProcessExec } from '../process-exec.ts';

const { plugins, cacheDir, containerId, list } = JSON.parse(process.argv[2] ?? '{}');
const exec = createProcessExec({ env: process.env });
const cni = createCni({ pluginDirs: [plugins], cacheDir, exec, log: silentLog });
const network = networkOf({ cniVersion: '1.1.0', name: 'blue', plugins: list });
await cni.add(network, { containerId, ifName: 'eth0', netns: '/proc/self/ns/net' });
