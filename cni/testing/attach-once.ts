/** Attaches once, as told by its argument: a process that a test can kill in the middle. */
import { silentLog } from '../../core/kit/log.ts';
import { createCni } from '../cni.ts';
import { networkOf } from '../config/network.ts';
import { createProcessExec } from '../process-exec.ts';

const { pluginDirs, cacheDir, prefix, network, attachment } = JSON.parse(process.argv[2] ?? '{}');
const exec = createProcessExec({ env: process.env, prefix });
const cni = createCni({ pluginDirs, cacheDir, exec, log: silentLog });
await cni.add(networkOf(network), attachment);
