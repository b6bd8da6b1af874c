import t from 'tap';
import { changeUnderLoad } from './testing/steady/change-under-load.ts';

t.test('changes of routes, certificates and endpoints lose no request and no WebSocket', async (t) => {
  const report = await changeUnderLoad({
    ...{ changes: 60, changesPerSecond: 60, rate: 400, sockets: 100 },
    folder: t.testdir({}),
  });
  t.comment(JSON.stringify(report));
  t.same(report.failures, {});
  t.equal(report.answered, report.sent);
  t.ok(report.sent > 500, 'there was a load');
  t.equal(report.lost, 0, 'every WebSocket is there and has sent everything back');
  t.ok(report.echoes > 20);
  t.equal(report.certificates, 2, 'new connections saw both certificates');
});
