import { connect } from 'node:net';
import { WeirError } from '../../../core/kit/errors.ts';

const patienceMs = 10_000;
/** What HAProxy writes when it waits for the next command; its master names itself or the worker it speaks for. */
const prompt = /(?:^|\n)(?:master(?:\[ReloadFailed\])?|\d+)?> /g;

/** HAProxy's answer to each of these commands, asked over one connection to its socket. A payload follows its command after `<<`. */
export async function ask(path: string, commands: readonly string[]): Promise<readonly string[]> {
  const socket = connect({ path });
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(patienceMs, () => reject(unanswered(path, `no answer within ${patienceMs / 1_000} s`)));
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (!text.endsWith('> ')) return;
    const answers = text.split(prompt);
    if (answers.length > commands.length + 1) resolve(answers.slice(1, -1).map(cleaned));
  });
  socket.once('error', (error) => reject(unanswered(path, error.message)));
  socket.once('close', () => reject(unanswered(path, 'it closed the connection')));
  socket.write(`prompt\n${commands.map((command) => `${command}\n`).join('')}`);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function cleaned(answer: string): string {
  return answer.replace(/^(?:\+ )+/, '').trim();
}

function unanswered(path: string, why: string): WeirError {
  return new WeirError('WEIR_HAPROXY_UNANSWERED', `Cannot ask HAProxy at ${path}: ${why}`);
}
