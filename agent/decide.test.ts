import t from 'tap';
import type { Assignment } from '../core/model/master-port.ts';
import type { Goal } from '../core/model/placement.ts';
import { type AgentAction, decide } from './decide.ts';
import type { InstanceRecord } from './record.ts';
import { assignmentOf, epoch, keyOf, recordOf } from './testing/assignments.ts';

const key = keyOf('a');
const staging = recordOf('a', { state: { kind: 'staging', step: 'fetching', since: epoch } });
const running = recordOf('a');
const killing = recordOf('a', { state: { kind: 'killing', since: epoch } });
const ended = recordOf('a', { state: { kind: 'ended', at: epoch, how: 'killed', reason: 'stopped' } });
const cleaned = { ...ended, cleaned: true };

type Wanted = Goal | 'no word yet' | 'not assigned';
type Case = readonly [
  said: string,
  record: InstanceRecord | undefined,
  wanted: Wanted,
  busy: AgentAction['kind'] | undefined,
  action: AgentAction['kind'] | 'nothing',
];

/** One instance: what the agent has of it, what the master wants, what is being done → what is to be done. */
const table: readonly Case[] = [
  ['a new assignment is launched', undefined, 'run', undefined, 'launch'],
  ['a launch is begun once', undefined, 'run', 'launch', 'nothing'],
  ['what is to end before it began is declined', undefined, 'stop', undefined, 'decline'],
  ['what drains before it began is declined', undefined, 'drain', undefined, 'decline'],
  ['a decline is made once', undefined, 'stop', 'decline', 'nothing'],
  ['what runs and is wanted is left alone', running, 'run', undefined, 'nothing'],
  ['what drains goes on', running, 'drain', undefined, 'nothing'],
  ['what is to stop is stopped', running, 'stop', undefined, 'stop'],
  ['what nobody assigned is stopped', running, 'not assigned', undefined, 'stop'],
  ['a stop is begun once', killing, 'stop', 'stop', 'nothing'],
  ['a stop that broke off is repeated', killing, 'stop', undefined, 'stop'],
  ['a stop that broke off is repeated whatever is wanted', killing, 'run', undefined, 'stop'],
  ['a launch goes on', staging, 'run', 'launch', 'nothing'],
  ['a stop interrupts a launch', staging, 'stop', 'launch', 'stop'],
  ['a lost assignment interrupts a launch', staging, 'not assigned', 'launch', 'stop'],
  ['a launch that broke off unrecorded is stopped', staging, 'run', undefined, 'stop'],
  ['nothing else interrupts a launch', staging, 'drain', 'launch', 'nothing'],
  ['what ended is cleaned', ended, 'run', undefined, 'clean'],
  ['a clean-up is made once', ended, 'run', 'clean', 'nothing'],
  ['a clean-up waits for the launch', ended, 'run', 'launch', 'nothing'],
  ['what is not cleaned is not forgotten', ended, 'not assigned', undefined, 'clean'],
  ['what the master still has is not forgotten', cleaned, 'stop', undefined, 'nothing'],
  ['what the master has forgotten is forgotten', cleaned, 'not assigned', undefined, 'forget'],
  ['before the first word what runs is left alone', running, 'no word yet', undefined, 'nothing'],
  ['before the first word a broken stop waits', killing, 'no word yet', undefined, 'nothing'],
  ['before the first word what ended is cleaned', ended, 'no word yet', undefined, 'clean'],
  ['before the first word nothing is forgotten', cleaned, 'no word yet', undefined, 'nothing'],
];

for (const [said, record, wanted, busy, action] of table) {
  t.test(`decide: ${said}`, async (t) => {
    const actions = decide({
      assignments: assignmentsOf(wanted),
      records: new Map(record === undefined ? [] : [[key, record]]),
      busy: new Map(busy === undefined ? [] : [[key, busy]]),
    });
    t.same(
      actions.map(({ kind }) => kind),
      action === 'nothing' ? [] : [action],
    );
    t.ok(actions.every((each) => each.key === key));
  });
}

t.test('decide passes on why an instance is to stop, and why an orphan is', async (t) => {
  const records = new Map([
    [keyOf('a'), running],
    [keyOf('b'), recordOf('b')],
  ]);
  const stopped = assignmentOf('a', { goal: 'stop', reason: 'scaled down' });
  const actions = decide({ assignments: new Map([[keyOf('a'), stopped]]), records, busy: new Map() });
  t.same(actions, [
    { kind: 'stop', key: keyOf('a'), reason: 'scaled down' },
    { kind: 'stop', key: keyOf('b'), reason: 'it is not assigned to this agent' },
  ]);
});

t.test('decide goes through every instance on its own', async (t) => {
  const fresh = assignmentOf('b');
  const actions = decide({
    assignments: new Map([
      [key, assignmentOf('a', { goal: 'stop' })],
      [keyOf('b'), fresh],
    ]),
    records: new Map([
      [key, running],
      [keyOf('c'), { ...cleaned, assignment: assignmentOf('c') }],
    ]),
    busy: new Map([[keyOf('d'), 'launch']]),
  });
  t.same(actions, [
    { kind: 'launch', key: keyOf('b'), assignment: fresh },
    { kind: 'stop', key, reason: 'stopped' },
    { kind: 'forget', key: keyOf('c') },
  ]);
});

function assignmentsOf(wanted: Wanted): ReadonlyMap<string, Assignment> | undefined {
  if (wanted === 'no word yet') return undefined;
  return new Map(wanted === 'not assigned' ? [] : [[key, assignmentOf('a', { goal: wanted })]]);
}
