import { styleText } from 'node:util';

/** What goes on, for the person who waits; nothing of it reaches standard output. */
export type Progress = {
  say(text: string): void;
  /** Takes the line away again. */
  end(): void;
};

/** Shorter waits are not worth a line. */
const hiddenMs = 400;
const frameMs = 100;
const frames = ['|', '/', '-', '\\'];

/** One line that changes on a terminal; elsewhere (a log of a build) a line for each new text. */
export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? spinner(stream) : lines(stream);
}

function lines(stream: NodeJS.WritableStream): Progress {
  let last = '';
  return {
    say(text) {
      if (text !== last) stream.write(`${text}\n`);
      last = text;
    },
    end() {},
  };
}

function spinner(stream: NodeJS.WriteStream): Progress {
  const startedAt = performance.now();
  let text = '';
  let frame = 0;
  const draw = () => {
    if (text === '' || performance.now() - startedAt < hiddenMs) return;
    const mark = styleText('cyan', frames[frame++ % frames.length]!, { stream });
    // Cut to one line: a wrapped one could not be taken back.
    stream.write(`\r\x1b[2K${mark} ${text.slice(0, Math.max(10, stream.columns - 3))}`);
  };
  const timer = setInterval(draw, frameMs);
  return {
    say(next) {
      text = next;
    },
    end() {
      clearInterval(timer);
      stream.write('\r\x1b[2K');
    },
  };
}
