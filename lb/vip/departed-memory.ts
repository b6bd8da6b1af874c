import type { InstanceId } from '../../core/model/ids.ts';
import type { Departed } from './departed.ts';

/** A small text that outlives this process, such as a file. `read` gives undefined when nothing was written yet. */
export type Memory = {
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
};

/**
 * Keeps who departed over a restart: the kernel's connections outlive this process, and a drain must go on waiting for them.
 * Writes only when something changed. Text that makes no sense counts as nothing.
 */
export class DepartedMemory {
  readonly #memory: Memory;
  readonly #departed: Departed;
  #written = '[]';

  constructor(memory: Memory, departed: Departed) {
    this.#memory = memory;
    this.#departed = departed;
  }

  async restore(): Promise<void> {
    const text = (await this.#memory.read()) ?? '[]';
    for (const [instance, targets] of parse(text)) this.#departed.restore(instance, targets);
    this.#written = text;
  }

  async save(): Promise<void> {
    const text = JSON.stringify(this.#departed.instances().map((id) => [id, this.#departed.targetsOf(id)]));
    if (text === this.#written) return;
    await this.#memory.write(text);
    this.#written = text;
  }
}

function parse(text: string): readonly (readonly [InstanceId, readonly string[]])[] {
  const rows = json(text);
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row) => {
    if (!Array.isArray(row)) return [];
    const [instance, targets]: readonly unknown[] = row;
    if (typeof instance !== 'string' || !Array.isArray(targets)) return [];
    return [[instance, targets.filter((target) => typeof target === 'string')] as const];
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
