import t from 'tap';
import { parseForeign } from './foreign.ts';

const to = (right: unknown, op = '==') => ({
  match: { op, left: { payload: { protocol: 'ip', field: 'daddr' } }, right },
});
const rule = (...expr: readonly unknown[]) =>
  JSON.stringify({ nftables: [{ rule: { family: 'ip', table: 'other', chain: 'out', handle: 7, expr } }] });
const found = (...expr: readonly unknown[]) =>
  parseForeign(rule(...expr), ['100.100.0.0/16', '11.0.0.1']).length;
const drop = { drop: null };

t.test('a rule is in the way if it ends packets for our addresses and for no others', async (t) => {
  t.equal(found(to('100.100.1.1'), drop), 1);
  t.equal(found(to('11.0.0.1'), { reject: {} }), 1);
  t.equal(found(to({ prefix: { addr: '100.100.4.0', len: 24 } }), { dnat: {} }), 1);
  t.equal(found(to({ set: ['100.100.1.1', '100.100.1.2'] }), { counter: {} }, drop), 1);
  t.match(parseForeign(rule(to('100.100.1.1'), drop), ['100.100.0.0/16']), [
    { removal: 'delete rule ip other out handle 7\n' },
  ]);
});

t.test('a rule that others may have meant is left alone', async (t) => {
  t.equal(found(drop), 0, 'for everything');
  t.equal(found(to('192.0.2.1'), drop), 0);
  t.equal(found(to({ prefix: { addr: '100.64.0.0', len: 10 } }), drop), 0, 'a range around ours');
  t.equal(found(to({ set: ['100.100.1.1', '192.0.2.1'] }), drop), 0);
  t.equal(found(to('100.100.1.1', '!='), drop), 0);
  t.equal(found(to('100.100.1.1'), { accept: null }), 0);
  t.same(parseForeign('', ['100.100.0.0/16']), []);
});
