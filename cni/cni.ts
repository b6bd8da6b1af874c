import type { Clock } from '../core/kit/clock.ts';
import { systemClock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import type { Attachment } from './attachment.ts';
import { bootId as currentBootId } from './boot.ts';
import { createCache } from './cache/cache.ts';
import type { AttachmentRecord } from './cache/record.ts';
import type { NetworkList } from './config/network.ts';
import type { PluginExec } from './exec.ts';
import { pluginVersions } from './invoke/version.ts';
import type { AttachmentKey } from './names.ts';
import { attach } from './operations/attach.ts';
import { check } from './operations/check.ts';
import { detach } from './operations/detach.ts';
import { collectGarbage } from './operations/gc.ts';
import { type Recovery, recover, recoverFirst } from './operations/recover.ts';
import type { Runtime } from './operations/runtime.ts';
import { status } from './operations/status.ts';
import type { CniResult } from './result/result.ts';
import { createSchedule } from './schedule.ts';

export type CniOptions = {
  /** Searched in order for plugin executables; becomes CNI_PATH. */
  readonly pluginDirs: readonly string[];
  /** libcni's cache folder (its default is /var/lib/cni): `results/` and our `pending/` are made in it. */
  readonly cacheDir: string;
  readonly exec: PluginExec;
  readonly log: Log;
  readonly clock?: Clock;
  /** Operations that run at once (default 8); one container never has two. */
  readonly concurrency?: number;
  /** Milliseconds one run of a plugin may take (default 120 000); then its process group is killed. */
  readonly timeoutMs?: number;
  /** Identifies the boot of this machine; the kernel's own by default. */
  readonly bootId?: string;
};

/** A CNI runtime. Every method may be called at any time and any number at once; each waits for its turn. */
export type Cni = {
  /**
   * Attaches a container to a network. When it throws, every plugin has been asked to undo (`DEL`), and what could not be undone is
   * remembered for the next `del`, `add` or `recover`.
   * @throws CniError; WEIR_CNI_ATTACHED when this attachment exists
   */
  add(
    network: NetworkList,
    attachment: Attachment,
    options?: { readonly signal?: AbortSignal },
  ): Promise<CniResult>;

  /**
   * Detaches. Works with the configuration and result of the `add`; `network` is used when none is known. Repeating it, or detaching what
   * was never attached, succeeds. When it throws, a later call runs the whole chain again.
   * @param network a list, a name, or undefined for the network this interface is attached to
   */
  del(network: NetworkList | string | undefined, attachment: Attachment): Promise<void>;

  /** Asks the plugins whether the attachment is as `add` left it. @throws CniError; WEIR_CNI_NOT_ATTACHED */
  check(network: NetworkList, attachment: Attachment): Promise<void>;

  /**
   * Detaches what is known and not in the list, then has the plugins remove what they still hold for anything else. `valid` must be every
   * live attachment of the network: call it only when all containers of this machine are known.
   * @throws CniError WEIR_CNI_GC with `errors` after everything was tried
   */
  gc(network: NetworkList, valid: readonly AttachmentKey[]): Promise<void>;

  /** Resolves when an `add` would be served. @throws CniError; `cniCode` 50 or 51 when the plugin says that it is not available */
  status(network: NetworkList): Promise<void>;

  /**
   * The versions a plugin supports, by its own account.
   * @param type file name of the plugin
   * @throws CniError; WEIR_CNI_PLUGIN_MISSING
   */
  versions(type: string): Promise<readonly string[]>;

  /**
   * Takes down what an earlier run of this program left half attached or half detached, and everything of before a reboot. Runs by itself
   * before the first operation; later calls try again what failed.
   */
  recover(): Promise<Recovery>;

  /** The attachments that are complete. */
  attachments(): Promise<readonly AttachmentRecord[]>;
};

const CONCURRENCY = 8;
const TIMEOUT_MS = 120_000;

export function createCni(options: CniOptions): Cni {
  const runtime = runtimeOf(options);
  let recovery: Promise<Recovery> | undefined;

  function recovered(): Promise<Recovery> {
    recovery ??= recoverFirst(runtime).catch((error) => {
      recovery = undefined;
      throw error;
    });
    return recovery;
  }

  async function afterRecovery<T>(work: () => Promise<T>): Promise<T> {
    await recovered();
    return work();
  }

  return {
    add: (network, attachment, { signal } = {}) =>
      afterRecovery(() => attach(runtime, network, { attachment, signal })),
    del: (network, attachment) => afterRecovery(() => detach(runtime, network, attachment)),
    check: (network, attachment) => afterRecovery(() => check(runtime, network, attachment)),
    gc: (network, valid) => afterRecovery(() => collectGarbage(runtime, network, valid)),
    status: (network) => status(runtime, network),
    versions: (type) => runtime.schedule.run({}, () => pluginVersions(runtime.invoker, type)),
    recover: () => (recovery === undefined ? recovered() : recover(runtime)),
    attachments: () => runtime.cache.listComplete(),
  };
}

function runtimeOf(options: CniOptions): Runtime {
  const { pluginDirs, exec, log, clock = systemClock, timeoutMs = TIMEOUT_MS } = options;
  return {
    invoker: { exec, pluginDirs, log, clock, timeoutMs },
    cache: createCache(options.cacheDir, log),
    schedule: createSchedule(options.concurrency ?? CONCURRENCY),
    log,
    bootId: options.bootId ?? currentBootId(),
  };
}
