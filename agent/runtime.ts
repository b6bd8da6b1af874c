import { WeirError } from '../core/kit/errors.ts';
import type { FetchUri } from '../core/model/fetch-uri.ts';

/**
 * The seam between an agent and whatever runs processes on its machine. It knows containers, not placements: what an
 * agent must find again after a restart it puts into `labels`.
 *
 * Every method may be repeated, and the agent may be killed at any moment: what it leaves is shown by `list` and
 * cleaned by `remove`. Containers, and the records of their ends, outlive the object and the process that made them.
 */
export interface ContainerRuntime {
  /** For people and for the agent's record: `runc`, `process`, `fake`. */
  readonly name: string;
  /** Every container that `remove` has not yet taken away, whoever made it, in no order. */
  list(): Promise<readonly Container[]>;
  /**
   * Fetches the image if there is one and prepares everything on disk; runs nothing. An id that exists already is left
   * as it is. Throws ImageUnavailable, ArtifactUnavailable, ContainerRefused.
   */
  create(spec: ContainerSpec, signal?: AbortSignal): Promise<void>;
  /**
   * Runs a created container; when it resolves, the program has been executed. Does nothing to one that runs or has
   * ended. Throws NoSuchContainer, StartFailed (a missing program, a bad user); the container stays `created` then.
   */
  start(id: ContainerId): Promise<void>;
  /**
   * SIGTERM, and SIGKILL to what is left `graceMs` later; resolves with the end when nothing of it runs. A container
   * that has ended gives its end again, one that was never started ends unstarted. Throws NoSuchContainer, StopFailed.
   */
  stop(id: ContainerId, graceMs: number): Promise<ContainerEnd>;
  /** Kills what still runs and frees everything but `logDir`. An unknown id is not an error. */
  remove(id: ContainerId): Promise<void>;
  /**
   * Yields every end: first those on record, also from before this object was made, then each as it happens, until
   * the signal aborts (then it returns). An end may come more than once over several calls, never within one.
   */
  exits(signal: AbortSignal): AsyncIterable<ContainerExit>;
  /** Runs a command inside a running container. Throws NoSuchContainer, NotRunning, ExecFailed. */
  exec(id: ContainerId, command: ExecCommand): Promise<ExecResult>;
  /** What the container wrote, oldest first; also after its end, and after `remove` as long as `logDir` exists. */
  log(logDir: string, options: LogOptions): AsyncIterable<LogLine>;
}

/** Unique on the machine over all attempts, any text; implementations make it safe for file names. */
export type ContainerId = string;

export type ContainerSpec = {
  readonly id: ContainerId;
  readonly command: Command;
  /** The whole environment of the program; with an image, the image's own variables come below these. */
  readonly env: Readonly<Record<string, string>>;
  /** Inside the container. Absent: the image's working directory, else the sandbox. */
  readonly cwd?: string;
  /** `name`, `uid`, `name:group` or `uid:gid`, as the container's own files name them. Absent: the image's, else the agent's. */
  readonly user?: string;
  readonly rootfs: Rootfs;
  readonly mounts: readonly Mount[];
  /** Files to be in the sandbox before the program starts; absent: none. */
  readonly artifacts?: readonly FetchUri[];
  /** Contents of files under /etc; absent: as the root file system has them. */
  readonly files: { readonly resolvConf?: string; readonly hosts?: string; readonly hostname?: string };
  readonly netns: { readonly kind: 'host' } | { readonly kind: 'path'; readonly path: string };
  /** Cores; a weight against the others of the machine, not a ceiling. */
  readonly cpus: number;
  /** MiB; a ceiling. */
  readonly mem: number;
  /** Created if missing; never removed by the runtime. */
  readonly logDir: string;
  /** JSON, kept and given back by `list`. */
  readonly labels: unknown;
};

export type Command =
  /** Exactly this, the program first. */
  | { readonly kind: 'argv'; readonly argv: readonly string[] }
  /** The image's entry point with these arguments; none given: with the image's own. */
  | { readonly kind: 'entrypoint'; readonly args: readonly string[] };

export type Rootfs =
  /** The machine's own files; what the container writes goes to a layer of its own. */
  | { readonly kind: 'host' }
  /** `name[:tag][@digest]` as Docker writes it, or a skopeo reference (`docker://…`, `oci:…`, `docker-archive:…`). */
  | { readonly kind: 'image'; readonly reference: string; readonly forcePull: boolean };

export type Mount = { readonly hostPath: string; readonly containerPath: string; readonly mode: 'RO' | 'RW' };

export type Container = {
  readonly id: ContainerId;
  readonly labels: unknown;
  readonly logDir: string;
  readonly state: ContainerState;
};

export type ContainerState =
  | { readonly kind: 'created' }
  /** `pid` is the first process as the machine counts it; `since` is ms since the epoch. */
  | { readonly kind: 'running'; readonly pid: number; readonly since: number }
  | { readonly kind: 'ended'; readonly end: ContainerEnd };

export type ContainerEnd = {
  /** ms since the epoch. */
  readonly at: number;
  /** As shells count: 128 + n for signal n. Absent when nobody saw the end (the machine or the monitor was killed). */
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** Killed because it wanted more memory than `mem`. */
  readonly oom: boolean;
  /** For people. */
  readonly reason: string;
};

export type ContainerExit = { readonly id: ContainerId; readonly end: ContainerEnd };

export type ExecCommand = {
  readonly argv: readonly string[];
  /** Added to the container's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What runs longer is killed and throws ExecFailed. */
  readonly timeoutMs: number;
};

/** `output`: standard output and error as they came, at most the last 4 KiB. */
export type ExecResult = { readonly exitCode: number; readonly output: string };

export type LogStream = 'stdout' | 'stderr';

export type LogOptions = {
  /** Absent: both, in the order of their writing where the runtime knows it. */
  readonly stream?: LogStream;
  /** At most this many of the newest lines; of each stream where their common order is not known. */
  readonly tail: number;
  /** Goes on with new lines until this aborts; absent: ends with the newest line. */
  readonly follow?: AbortSignal;
};

/** A line without its end. `at`: ms since the epoch, where the runtime knows it. */
export type LogLine = { readonly stream: LogStream; readonly text: string; readonly at?: number };

/** The image cannot be had; the message carries the registry's own words. */
export class ImageUnavailable extends WeirError {
  constructor(reference: string, words: string, cause?: unknown) {
    super('WEIR_IMAGE_UNAVAILABLE', `Cannot fetch image ${reference}: ${words}`, {
      cause,
      next: 'Check the name, the tag and that this machine reaches the registry.',
    });
  }
}

/** The runtime cannot give what the specification asks (an image without root, a mount that is not there). */
export class ContainerRefused extends WeirError {
  constructor(id: ContainerId, need: string, next?: string) {
    super(
      'WEIR_CONTAINER_REFUSED',
      `Cannot create container ${id}: ${need}`,
      next === undefined ? {} : { next },
    );
  }
}

/** The program could not be executed. */
export class StartFailed extends WeirError {
  constructor(id: ContainerId, words: string, cause?: unknown) {
    super('WEIR_START_FAILED', `Cannot start container ${id}: ${words}`, { cause });
  }
}

export class NoSuchContainer extends WeirError {
  constructor(id: ContainerId, action: string) {
    super('WEIR_NO_SUCH_CONTAINER', `Cannot ${action} container ${id}: there is none of that id`);
  }
}

export class NotRunning extends WeirError {
  constructor(id: ContainerId, action: string) {
    super('WEIR_NOT_RUNNING', `Cannot ${action} container ${id}: it is not running`);
  }
}

/** It runs on after SIGKILL: the kernel does not let it go (a device or a remote file system does not answer). */
export class StopFailed extends WeirError {
  constructor(id: ContainerId, words: string) {
    super('WEIR_STOP_FAILED', `Cannot stop container ${id}: ${words}`);
  }
}

/** The command could not be run, or ran too long. */
export class ExecFailed extends WeirError {
  constructor(id: ContainerId, words: string, cause?: unknown) {
    super('WEIR_EXEC_FAILED', `Cannot run a command in container ${id}: ${words}`, { cause });
  }
}
