/** Something long-lived. `start` resolves when it serves; `stop` when nothing of it is left; both may be repeated. */
export interface Part {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts parts in order; when one fails the earlier ones are stopped again and its error is thrown. */
export async function startAll(parts: readonly Part[]): Promise<void> {
  const started: Part[] = [];
  for (const part of parts) {
    try {
      await part.start();
    } catch (error) {
      await stopAll(started);
      throw error;
    }
    started.push(part);
  }
}

/** Stops parts in reverse order, every one even if another fails; the first error is thrown at the end. */
export async function stopAll(parts: readonly Part[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts.toReversed()) {
    await part.stop().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
