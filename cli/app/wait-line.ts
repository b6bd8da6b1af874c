/** One thing that an app waits for, in the scheduler's words. */
export type Wait = {
  readonly kind: string;
  readonly instanceId?: string;
  readonly count: number;
  readonly detail: string;
};

export function waitLine({ kind, instanceId, count, detail }: Wait): string {
  return `  ${instanceId ?? `${count} not launched`} (${kind}): ${detail}`;
}
