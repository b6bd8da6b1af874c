import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Actor } from './actor.ts';

export type Traffic = Pick<
  Actor,
  'listen' | 'unlisten' | 'ask' | 'askFrom' | 'sendFrom' | 'peer' | 'hold' | 'say' | 'drop' | 'load' | 'close'
>;

/** An actor in another network namespace, and in a control group (its folder) if one is given. */
export function remoteActor(namespace: string, group?: string): Traffic {
  const main = fileURLToPath(new URL('./actor-main.ts', import.meta.url));
  const enter = group === undefined ? '' : `echo $$ > ${group}/cgroup.procs; `;
  const script = `${enter}exec ip netns exec ${namespace} ${process.execPath} ${main}`;
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const call = caller(child);
  return {
    listen: (...args) => call('listen', args),
    unlisten: (...args) => call('unlisten', args),
    ask: (...args) => call('ask', args),
    askFrom: (...args) => call('askFrom', args),
    sendFrom: (...args) => call('sendFrom', args),
    peer: (...args) => call('peer', args),
    hold: (...args) => call('hold', args),
    say: (...args) => call('say', args),
    drop: (...args) => call('drop', args),
    load: (...args) => call('load', args),
    close: async () => {
      child.stdin!.end();
      await exited;
    },
  };
}

function caller(child: ChildProcess): <T>(name: string, args: readonly unknown[]) => Promise<T> {
  const waiting = new Map<number, (result: never) => void>();
  let last = 0;
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const { id, result } = JSON.parse(line);
    waiting.get(id)?.(result as never);
    waiting.delete(id);
  });
  return (name, args) =>
    new Promise((resolve) => {
      waiting.set(++last, resolve);
      child.stdin!.write(`${JSON.stringify({ id: last, call: name, args })}\n`);
    });
}
