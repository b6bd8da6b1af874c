import type { JsonObject } from './json.ts';
import type { AttachmentKey } from './names.ts';

/** What a caller wants attached: one interface of one container. */
export type Attachment = AttachmentKey & {
  /** Path of the network namespace; empty on DEL when it is gone. */
  readonly netns: string;
  /** `runtimeConfig` by capability name; a plugin gets those it declared. */
  readonly capabilityArgs?: JsonObject;
  /** `CNI_ARGS`, in order. */
  readonly cniArgs?: readonly (readonly [key: string, value: string])[];
};
