import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { run } from '../../core/kit/exec.ts';

/** A program at work in a namespace: what it prints, line by line. */
export type Speaker = {
  /** The next line of its output; rejects when it has ended. */
  line(): Promise<string>;
  say(text: string): void;
  end(): Promise<void>;
};

/** Tells each client its address as the server sees it, then gives back what it is sent. Ends with the test that started it. */
const server = `
  const net = require('net');
  process.stdin.on('end', () => process.exit()).resume();
  net.createServer((s) => { s.on('error', () => {}); s.write(s.remoteAddress + '\\n'); s.pipe(s); })
    .listen({ host: process.argv[1], port: Number(process.argv[2]) }, () => console.log('up'));
`;

/** Prints what the server says first, or the error's code; then gives back each line of its input through the server. */
const client = `
  const s = require('net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
  s.setTimeout(5000, () => { console.log('silence'); process.exit(); });
  s.on('error', (error) => { console.log(error.code); process.exit(); });
  s.on('connect', () => { s.setTimeout(0); process.stdin.pipe(s); });
  s.pipe(process.stdout);
`;

/** Sends so many bytes through the echoing server and prints how many came back right. */
const bulk = `
  const [, host, port, bytes] = process.argv;
  const sent = require('crypto').randomBytes(Number(bytes));
  const s = require('net').connect({ host, port: Number(port) }, () => s.write(sent));
  const got = []; let size = 0, head = true;
  s.on('data', (part) => {
    if (head) { head = false; part = part.subarray(part.indexOf(10) + 1); }
    got.push(part); size += part.length;
    if (size >= sent.length) { console.log(Buffer.concat(got).equals(sent) ? size : 'wrong bytes'); process.exit(); }
  });
  s.setTimeout(5000, () => { console.log('silence after ' + size); process.exit(); });
`;

export async function serve(netns: string, host: string, port = 7000): Promise<Speaker> {
  const speaker = speak(netns, server, [host, String(port)]);
  if ((await speaker.line()) !== 'up') throw new Error(`nobody listens on ${host}`);
  return speaker;
}

/** A connection that stays open. Its first line is what the server saw as the source, or an error's code. */
export function connect(netns: string, host: string, port = 7000): Speaker {
  return speak(netns, client, [host, String(port)]);
}

/** Connects once. @returns the source as the server saw it, or the code of the error, or `silence` after 5 s */
export async function call(netns: string, host: string, port = 7000): Promise<string> {
  const speaker = connect(netns, host, port);
  const word = await speaker.line();
  await speaker.end();
  return word;
}

/** @returns how many bytes came back unharmed */
export async function transfer(netns: string, host: string, bytes: number): Promise<string> {
  const argv = [`--net=${netns}`, '--', process.execPath, '-e', bulk, host, '7000', String(bytes)];
  return run('nsenter', argv, { env: { NODE_OPTIONS: '' } });
}

function speak(netns: string, script: string, args: readonly string[]): Speaker {
  const child = spawn('nsenter', [`--net=${netns}`, '--', process.execPath, '-e', script, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error('it ended without a word');
      return value;
    },
    say: (text) => void child.stdin.write(`${text}\n`),
    end: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
