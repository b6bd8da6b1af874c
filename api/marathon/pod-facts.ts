import type { Agent } from '../../core/model/agent.ts';
import type { PodApp } from '../../core/model/app.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';

/** What there is to know of one instance of a pod. */
export type PodInstanceFacts = {
  /** The definition it was launched from. */
  readonly pod: PodApp;
  readonly placement: Placement;
  /** Undefined: its agent has not said anything of it. */
  readonly instance: Instance | undefined;
  readonly agent: Agent | undefined;
};
