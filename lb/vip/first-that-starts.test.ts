import t from 'tap';
import { silentLog } from '../../core/kit/log.ts';
import { FakeVipBackend } from './backends/fake.ts';
import { VipUnavailable } from './errors.ts';
import { FirstThatStarts } from './first-that-starts.ts';
import { emptyTable } from './table.ts';

function candidate(failure?: Error) {
  const backend = new FakeVipBackend();
  const left: string[] = [];
  backend.start = async () => {
    if (failure !== undefined) throw failure;
  };
  return { backend, left, leave: async () => void left.push('left') };
}

t.test('the first backend that starts serves, and what the others left is taken away', async (t) => {
  const [first, second] = [candidate(new VipUnavailable('ebpf', 'no clang')), candidate()];
  const backend = new FirstThatStarts([first, second], silentLog);
  await backend.apply(emptyTable);
  t.same([first.backend.tables.length, second.backend.tables.length], [0, 1]);
  t.same([first.left, second.left], [['left'], []]);
  t.same(await backend.audit(), [], 'one that others cannot spoil finds nothing');
});

t.test('the first of several serves where it can, and only a machine that cannot is a reason', async (t) => {
  const [first, second] = [candidate(), candidate()];
  const backend = new FirstThatStarts([first, second], silentLog);
  await backend.start();
  await backend.apply(emptyTable);
  t.equal(first.backend.tables.length, 1);
  const broken = new FirstThatStarts([candidate(new Error('a mistake')), second], silentLog);
  await t.rejects(broken.start(), { message: 'a mistake' });
  const none = new FirstThatStarts([candidate(new VipUnavailable('nftables', 'no nft'))], silentLog);
  await t.rejects(none.start(), { code: 'WEIR_VIP_UNAVAILABLE' });
});
