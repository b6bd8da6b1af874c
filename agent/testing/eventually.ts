const mostTurns = 1_000_000;

/**
 * Gives way to everything that is due until `holds`, calling `eachTurn` in between: a test of files on a real disk
 * waits for what it expects, not for time. Throws when it does not come true in very many turns.
 */
export async function eventually(holds: () => boolean, eachTurn: () => unknown = () => {}): Promise<void> {
  for (let turn = 0; !holds(); turn += 1) {
    if (turn === mostTurns) throw new Error(`this did not come true: ${holds}`);
    await eachTurn();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets all promises go as far as they can without the disk and without time. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
