import t from 'tap';
import { type Holdable, TurnShare } from './turn-share.ts';

const piece = 65_536;

/** Brings a piece whenever it may, until it has brought as many as it has. */
class Download implements Holdable {
  readonly #share: TurnShare;
  readonly #log: string[];
  readonly #name: string;
  #left: number;
  #isHeld = false;

  constructor({ share, log }: { share: TurnShare; log: string[] }, name: string, pieces: number) {
    this.#share = share;
    this.#log = log;
    this.#name = name;
    this.#left = pieces;
  }

  read(): void {
    while (!this.#isHeld && this.#left > 0) {
      this.#left--;
      this.#log.push(this.#name);
      this.#share.took(this, piece);
    }
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    // As the event loop does, once all are released.
    setImmediate(() => this.read());
  }
}

async function turnsUntil(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !done(); turn++) await new Promise((resolve) => setImmediate(resolve));
}

t.test('one download alone goes on until a turn is full, and goes on in the next', async (t) => {
  const log: string[] = [];
  new Download({ share: new TurnShare(), log }, 'a', 20).read();
  t.equal(log.length, 16);
  await turnsUntil(() => log.length === 20);
  t.equal(log.length, 20);
});

t.test('downloads that do not fit into a turn take turns, a piece each', async (t) => {
  const log: string[] = [];
  const share = new TurnShare();
  const names = Array.from({ length: 40 }, (_, n) => `d${n}`);
  for (const name of names) new Download({ share, log }, name, name === 'd0' ? 30 : 3).read();
  // The first had the turn for itself, the others one piece each; nobody gets a second one before all have had theirs.
  const first = log.splice(0, 16);
  t.same(new Set(first), new Set(['d0']));
  t.same(log, names.slice(1));
  await turnsUntil(() => log.length >= 39 + 40);
  t.same(log.slice(39, 39 + 40), names, 'in the order in which they were held');
});
