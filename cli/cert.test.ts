import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startFakeMaster } from './testing/fake-master.ts';
import { weir } from './testing/weir.ts';

const shop = {
  ...{
    name: 'shop',
    hosts: ['shop.test', '*.shop.test'],
    default: true,
    keyType: 'ec prime256v1',
    daysLeft: 3,
  },
  ...{ notBefore: '2026-01-01T00:00:00.000Z', notAfter: '2026-04-01T00:00:00.000Z', serialNumber: '01' },
  ...{ fingerprint256: 'AA:BB', warning: 'expires on 2026-04-01T00:00:00.000Z' },
};

t.test('weir cert add sends both files and says what the certificate is for', async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, 'c'), 'CERT');
  writeFileSync(join(folder, 'k'), 'KEY');
  const master = await startFakeMaster({ 'POST /v1/certificates': { status: 201, body: shop } });
  t.teardown(() => master.close());
  const files = ['--cert', join(folder, 'c'), '--key', join(folder, 'k')];
  const ran = await weir(['cert', 'add', 'shop', ...files, '--default'], { master: master.url });
  t.equal(ran.stdout, 'shop is for shop.test, *.shop.test and expires on 2026-04-01');
  t.match(master.requests, [{ body: { name: 'shop', certificate: 'CERT', key: 'KEY', default: true } }]);
});

t.test('weir cert list warns of what expires', async (t) => {
  const body = { revision: 7, edges: 2, inForce: 1, certificates: [shop] };
  const master = await startFakeMaster({ 'GET /v1/certificates': { body } });
  t.teardown(() => master.close());
  const { stdout } = await weir(['cert', 'list'], { master: master.url });
  t.match(stdout, /^shop \(default\) +shop\.test \*\.shop\.test +ec prime256v1 +2026-04-01 +3$/m);
  t.match(stdout, /^shop expires on 2026-04-01/m);
  t.match(stdout, /Revision 7 is in force on 1 of 2 edges\./);
});
