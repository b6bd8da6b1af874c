/**
 * One end of a test's traffic: started once in a network namespace, then told what to do by lines of JSON on standard
 * input, and answers each with one line. Servers answer "<name> <client address> <client port>".
 */
import { createInterface } from 'node:readline';
import { Actor } from './actor.ts';

const actor = new Actor();
for await (const line of createInterface({ input: process.stdin })) {
  const { id, call, args } = JSON.parse(line);
  void actor.run(call, args).then((result: unknown) => console.log(JSON.stringify({ id, result })));
}
process.exit(0);
