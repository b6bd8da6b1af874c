/** `cache-client.ts URL`: what http-cache-tests.txt names, against a server. Prints, by test id, `true` or why it failed. */
import { readFileSync } from 'node:fs';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import suites from 'http-cache-tests/tests/index.mjs';

const wanted = new Set(readFileSync(new URL('http-cache-tests.txt', import.meta.url), 'utf8').split('\n'));
const chosen = suites.map((suite) => ({ ...suite, tests: suite.tests.filter(({ id }) => wanted.has(id)) }));

// It says on standard output what it retries.
const print = console.log;
console.log = () => {};
await runTests(chosen, globalThis.fetch, false, process.argv[2] ?? '', 60);
print(JSON.stringify(getResults()));
process.exit(0);
