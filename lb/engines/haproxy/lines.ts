/** Cuts what a process says into lines. Of one with more than `most` characters only a blank and its end are told. */
export class LineCutter {
  readonly #most: number;
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(most: number, onLine: (line: string) => void) {
    this.#most = most;
    this.#onLine = onLine;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length > this.#most) this.#rest = ' ';
  }
}
