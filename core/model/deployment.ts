import type { App } from './app.ts';
import type { Group } from './group.ts';
import type { AppId, Version } from './ids.ts';

export type ActionKind = 'StartApplication' | 'StopApplication' | 'ScaleApplication' | 'RestartApplication';

export type DeploymentAction = {
  readonly kind: ActionKind;
  /** An app or a pod. */
  readonly app: AppId;
  readonly pod?: true;
  /** Scale and restart: how many instances at the end. */
  readonly target?: number;
};

/** Actions of a step run in parallel; the next step begins when all are done (Marathon §15.2). */
export type DeploymentStep = { readonly actions: readonly DeploymentAction[] };

/** A change of the root on its way to being true. Gone when done; the outcome is an event. */
export type Deployment = {
  readonly id: string;
  readonly version: Version;
  readonly steps: readonly DeploymentStep[];
  /** Index of the step being worked on; `steps.length` when done. */
  readonly step: number;
  readonly affectedApps: readonly AppId[];
  /** The definitions before the change, by app; null for an app that did not exist. For rolling back. */
  readonly originals: Readonly<Record<AppId, App | null>>;
  /** Groups that the change added (null) or gave other dependencies (as they were). For rolling back. */
  readonly groups?: Readonly<Record<string, Group | null>>;
  /** Instances a kill-and-scale call named. */
  readonly sentenced?: readonly string[];
  /** ms since the epoch. */
  readonly startedAt: number;
};
