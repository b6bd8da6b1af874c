import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { PluginCommand } from './environment.ts';
import type { Plugin } from './plugin.ts';
import { servePlugin } from './serve.ts';

/** Milliseconds that VERSION waits for an input that may never end. */
const VERSION_INPUT_MS = 100;

/** The whole of a plugin's executable: `await runPlugin(plugin)`. */
export async function runPlugin(plugin: Plugin): Promise<void> {
  const { exitCode, stdout } = await servePlugin(plugin, { env: process.env, readStdin });
  process.exitCode = exitCode;
  process.stdout.write(stdout);
}

async function readStdin(command: PluginCommand): Promise<string> {
  const whole = text(process.stdin);
  if (command !== 'VERSION') return whole;
  try {
    return await Promise.race([whole, delay(VERSION_INPUT_MS, '')]);
  } catch {
    // A closed standard input is as good as an empty one.
    return '';
  } finally {
    process.stdin.destroy();
  }
}
