import type { AttachmentKey } from './names.ts';

/**
 * THE SEAM between the runtime and the plugins: any executable that follows the specification. Behind it there may be processes, a
 * command wrapped around them (another network namespace), or functions in a test.
 */
export interface PluginExec {
  /**
   * The path of the first regular file named `type` along `dirs`.
   * @throws CniError WEIR_CNI_PLUGIN_MISSING naming the type and the directories
   */
  find(type: string, dirs: readonly string[]): Promise<string>;

  /**
   * Runs a plugin once. What the plugin does, however wrong, is an outcome and never an exception. When the promise settles the plugin
   * and what it started are gone, also after a time-out or an abort.
   * @throws CniError WEIR_CNI_PLUGIN_START when the operating system cannot start the file
   */
  run(path: string, request: ExecRequest): Promise<ExecOutcome>;

  /**
   * Kills runs for these attachments that a dead process of this program left behind: they would go on beside the DEL that takes
   * down what they build. Called before this process runs its first plugin. Afterwards none of them runs.
   */
  stopOrphans(keys: readonly AttachmentKey[]): Promise<void>;
}

export type ExecRequest = {
  /** The `CNI_…` variables. No other variable of that prefix reaches the plugin. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeoutMs: number;
  /** Aborted: the plugin is killed. */
  readonly signal?: AbortSignal | undefined;
};

export type ExecOutcome = {
  /** How it ended. `overflow`: it wrote more to standard output than is accepted and was killed. */
  readonly end: 'exited' | 'killed' | 'timeout' | 'aborted' | 'overflow';
  /** 0 to 255, for `exited`. */
  readonly exitCode: number | undefined;
  /** The signal, for `killed`. */
  readonly signal: string | undefined;
  readonly stdout: string;
  /** At most the first 64 KiB. */
  readonly stderr: string;
};
