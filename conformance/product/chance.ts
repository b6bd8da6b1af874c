/** Numbers from 0 up to 1 that follow from the seed alone (a 32-bit counter, mixed). */
export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** Another one in each run, or that of a run which is to be repeated. To be printed. */
export function seedOf(env: NodeJS.ProcessEnv): number {
  return Number(env['WEIR_SEED'] ?? Date.now() % 2 ** 32);
}
