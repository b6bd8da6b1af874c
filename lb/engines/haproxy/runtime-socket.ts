import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WeirError } from '../../../core/kit/errors.ts';

const patienceMs = 10_000;
/** What HAProxy writes when it waits for the next command. */
const prompt = /(?:^|\n)> /g;

type Question = {
  readonly answers: number;
  readonly resolve: (answers: readonly string[]) => void;
  readonly reject: (error: Error) => void;
};

/**
 * A conversation with one HAProxy, kept for as long as it runs: one that is told to leave goes on with this, but takes no other. It
 * does not go while the conversation is open.
 */
export class RuntimeSocket {
  readonly #path: string;
  readonly #socket: Socket;
  #text = '';
  #question: Question | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#heard(chunk));
    socket.on('timeout', () => this.#fail(`no answer within ${patienceMs / 1_000} s`));
    socket.on('error', (error) => this.#fail(error.message));
    socket.on('close', () => this.#fail('it closed the connection'));
  }

  /** Rejects when nobody listens there. */
  static async open(path: string): Promise<RuntimeSocket> {
    const socket = connect({ path });
    await once(socket, 'connect');
    const conversation = new RuntimeSocket(path, socket);
    await conversation.ask(['prompt']);
    return conversation;
  }

  /** The answer to each of these commands. A payload follows its command after `<<`. */
  ask(commands: readonly string[]): Promise<readonly string[]> {
    if (commands.length === 0) return Promise.resolve([]);
    const answers = this.#turn.then(() => this.#put(commands));
    this.#turn = answers.catch(() => {});
    return answers;
  }

  close(): void {
    this.#socket.destroy();
  }

  #put(commands: readonly string[]): Promise<readonly string[]> {
    if (this.#socket.destroyed) return Promise.reject(this.#unanswered('it closed the connection'));
    const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
    this.#text = '';
    this.#question = { answers: commands.length, resolve, reject };
    this.#socket.setTimeout(patienceMs);
    this.#socket.write(commands.map((command) => `${command}\n`).join(''));
    return promise;
  }

  #heard(chunk: string): void {
    this.#text += chunk;
    const question = this.#question;
    if (question === undefined || !this.#text.endsWith('> ')) return;
    const answers = this.#text.split(prompt);
    if (answers.length <= question.answers) return;
    this.#question = undefined;
    this.#socket.setTimeout(0);
    question.resolve(answers.slice(0, question.answers).map(cleaned));
  }

  #fail(why: string): void {
    this.#socket.destroy();
    this.#question?.reject(this.#unanswered(why));
    this.#question = undefined;
  }

  #unanswered(why: string): WeirError {
    return new WeirError('WEIR_HAPROXY_UNANSWERED', `Cannot ask HAProxy at ${this.#path}: ${why}`);
  }
}

function cleaned(answer: string): string {
  return answer.replace(/^(?:\+ )+/, '').trim();
}
