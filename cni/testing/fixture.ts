import { join } from 'node:path';
import { type Log, silentLog } from '../../core/kit/log.ts';
import type { Attachment } from '../attachment.ts';
import { type Cni, type CniOptions, createCni } from '../cni.ts';
import { type NetworkList, networkOf } from '../config/network.ts';
import type { JsonObject } from '../json.ts';
import { createFakeExec, type FakeBehaviour, type FakeExec } from './fake-exec.ts';

type Dirs = { testdir(): string };

export type Fixture = { readonly cni: Cni; readonly exec: FakeExec; readonly cacheDir: string };

/** A runtime over functions instead of plugins, with a cache folder of its own. */
export function fixture(t: Dirs, behave?: FakeBehaviour, options: Partial<CniOptions> = {}): Fixture {
  const exec = createFakeExec(behave);
  const cacheDir = options.cacheDir ?? join(t.testdir(), 'cache');
  const cni = createCni({
    pluginDirs: ['/plugins'],
    cacheDir,
    exec,
    log: silentLog,
    bootId: 'boot-1',
    ...options,
  });
  return { cni, exec, cacheDir };
}

/** A list of plugins `a`, `b`, … or of the objects given. */
export function network(plugins: readonly (string | JsonObject)[], list: JsonObject = {}): NetworkList {
  const conf = plugins.map((plugin) => (typeof plugin === 'string' ? { type: plugin } : plugin));
  return networkOf({ cniVersion: '1.1.0', name: 'blue', ...list, plugins: conf });
}

export const ATTACHMENT: Attachment = { containerId: 'c1', ifName: 'eth0', netns: '/proc/self/ns/net' };

export function attachment(containerId: string, ifName = 'eth0'): Attachment {
  return { ...ATTACHMENT, containerId, ifName };
}

/** The answer of a failing plugin. */
export function failure(code: number, msg: string, details?: string) {
  const error = { cniVersion: '1.1.0', code, msg, ...(details === undefined ? {} : { details }) };
  return { exitCode: 1, stdout: JSON.stringify(error) };
}

export type LogLine = { readonly message: string; readonly fields: object };

/** A log that keeps its lines. */
export function recordingLog(): { readonly log: Log; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const keep = (message: string, fields: object = {}) => void lines.push({ message, fields });
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, with: () => log };
  return { log, lines };
}
