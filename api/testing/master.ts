import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Caller } from './caller.ts';
import { PretendAgent } from './pretend-agent.ts';

type Teardown = { teardown(work: () => Promise<void>): void };

/** A master of this clone in a process of its own, with the real scheduler and store; agents are pretended over HTTP. */
export type TestMaster = {
  readonly url: string;
  readonly api: Caller;
  /** Connects an agent that says at once that whatever it is given runs. */
  agent(hostname: string): Promise<PretendAgent>;
};

/** The program of this clone, or another build of it. */
const program = process.env['WEIR_PROGRAM'] ?? fileURLToPath(new URL('../../weir', import.meta.url));

/** Resolves when it serves. Ends, with its files, when the test does. */
export async function startMaster(t: Teardown, more: readonly string[] = []): Promise<TestMaster> {
  const [folder, port] = [await mkdtemp(join(tmpdir(), 'weir-api-')), await freePort()];
  const flags = ['--api', `127.0.0.1:${port}`, '--data', folder, '--network-backend', 'loopback', ...more];
  const child = spawn(program, ['master', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const serving = new Promise<void>((resolve, reject) => {
    const hear = (text: Buffer) => {
      output += String(text);
      if (output.includes('master serves')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', () => reject(new Error(`the master ended:\n${output}`)));
  });
  const agents: PretendAgent[] = [];
  t.teardown(async () => {
    for (const agent of agents) await agent.leave();
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await serving;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    api: new Caller(url),
    async agent(hostname) {
      const agent = new PretendAgent(url, hostname);
      agents.push(agent);
      await agent.arrive();
      return agent;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
