import t from 'tap';
import { agentTail, canonicalTask, dcosLabel, taskHash } from './labels.ts';

t.test('the hash of a task id is that of Mesos-DNS', async (t) => {
  t.equal(taskHash('test'), 'iffe9');
});

t.test('the tail of an agent id is what follows its last dash, in lower case', async (t) => {
  t.equal(agentTail('20160101-1-5050-1-S4'), 's4');
  t.equal(agentTail('Host'), 'host');
});

t.test('a canonical task name is task, hash and tail', async (t) => {
  t.equal(canonicalTask('liquor-store', taskHash('test'), 'x-S0'), 'liquor-store-iffe9-s0');
  t.equal(canonicalTask('server.dev', taskHash('test'), 'x-S4'), 'server.dev-iffe9-s4');
});

t.test('a canonical task name gives way so that its label is at most 63 characters', async (t) => {
  const name = canonicalTask('a'.repeat(63), taskHash('test'), 'x-S10');
  t.equal(name.length, 63);
  t.ok(name.endsWith('a-iffe9-s10'));
  const raw = canonicalTask(`shop.${'b'.repeat(63)}`, taskHash('test'), 'x-S1');
  t.same(
    raw.split('.').map((label) => label.length),
    [4, 63],
  );
});

/** dns.md §2.3. */
const body = 'fdgsf---gs7-fgs--d7fddg123456789012345678901234567890123456789';
const vectors: readonly (readonly [string, string])[] = [
  [`##${body}-`, body],
  [`##${body}---123`, `${body}1`],
  ['0-0', '0-0'],
  ['89fdgsf---gs7-fgs--d7fddg---123', '89fdgsf---gs7-fgs--d7fddg---123'],
  ['dev/marathon.user', 'devmarathon-user'],
  [`hello${'-'.repeat(58)}f-g`, 'hellofg'],
];

t.test('a DC/OS label follows the vectors of its resolver', async (t) => {
  for (const [input, expected] of vectors) t.equal(dcosLabel(input), expected, input);
});
