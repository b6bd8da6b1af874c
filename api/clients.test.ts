import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { startMaster } from './testing/master.ts';

const run = promisify(execFile);
/** The distribution's own, which its packages are installed for. */
const python = '/usr/bin/python3';
const within = { timeout: 90_000 };

const clients = [
  { module: 'marathon', package: 'python3-marathon', script: 'marathon_client.py' },
  { module: 'dcos.marathon', package: 'python3-dcos', script: 'dcos_client.py' },
] as const;

for (const { module, package: name, script } of clients) {
  const skip = await missing(module).then((isMissing) => (isMissing ? `needs ${name}` : false));
  t.test(`${name}, unmodified, does everything it can`, { skip }, async (t) => {
    const { url, agent } = await startMaster(t);
    await agent('h1');
    const path = fileURLToPath(new URL(`testing/${script}`, import.meta.url));
    const { stdout } = await run(python, ['-W', 'ignore', path, url], within);
    const steps = stdout.trim().split('\n');
    for (const step of steps) t.match(step, /^ok /);
    t.ok(steps.length > 4);
  });
}

async function missing(module: string): Promise<boolean> {
  return run(python, ['-W', 'ignore', '-c', `import ${module}`], within).then(
    () => false,
    () => true,
  );
}
