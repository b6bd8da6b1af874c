#!/usr/bin/env node
/**
 * A recording plugin. Each run appends a line of JSON to the file `noop.journal` of its configuration when it begins and when it ends.
 * What it answers is told by its configuration too (`NoopStep`), so that a list describes a whole scenario.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import { noopAnswer, noopStep } from './noop-answer.ts';

const stdin = readFileSync(0, 'utf8');
const config = configOf(stdin);
const command = process.env.CNI_COMMAND ?? '';

record('begin');
if (noopStep(command, config).hang === true) setInterval(() => {}, 1 << 30);
else finish();

function finish(): void {
  const { exitCode, stdout, stderr } = noopAnswer(command, config);
  record('end');
  process.stderr.write(stderr);
  process.stdout.write(stdout);
  process.exitCode = exitCode;
}

function record(phase: 'begin' | 'end'): void {
  const { noop } = config;
  if (!isObject(noop) || typeof noop.journal !== 'string') return;
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => key.startsWith('CNI_')));
  const type = basename(process.argv[2] ?? 'noop');
  const line = { phase, type, command, env, stdin, cwd: process.cwd(), pid: process.pid };
  appendFileSync(noop.journal, `${JSON.stringify(line)}\n`);
}

function configOf(text: string): JsonObject {
  const json = text === '' ? {} : parseJson(text);
  return isObject(json) ? json : {};
}
