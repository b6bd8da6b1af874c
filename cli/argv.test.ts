import t from 'tap';
import { commandWord, readLab } from './argv.ts';

t.test('readLab lets a bare --lab swallow nothing, and stops at --', async (t) => {
  t.same(readLab(['--lab', 'app', 'list']), {
    words: ['--lab=lab', 'app', 'list'],
    withoutLab: ['app', 'list'],
    lab: 'lab',
  });
  t.same(readLab(['app', 'list', '--lab=two']).lab, 'two');
  t.same(readLab(['lab', 'exec', 'h1', '--', 'ls', '--lab']), {
    words: ['lab', 'exec', 'h1', '--', 'ls', '--lab'],
    withoutLab: ['lab', 'exec', 'h1', '--', 'ls', '--lab'],
    lab: undefined,
  });
});

t.test('commandWord is neither an option nor the value of one', async (t) => {
  t.equal(commandWord(['--master', 'http://x', '--json', 'app', 'list']), 'app');
  t.equal(commandWord(['--master=http://x', 'node', 'list']), 'node');
  t.equal(commandWord(['--help']), undefined);
});
