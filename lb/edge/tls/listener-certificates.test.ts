import { once } from 'node:events';
import { connect } from 'node:tls';
import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { silentLog } from '../../../core/kit/log.ts';
import type { Certificate } from '../../../core/model/certificate.ts';
import { applyDelta } from '../../../core/model/directory.ts';
import { EdgeConsumer } from '../consumer.ts';
import { listener, ownRoute } from '../testing/listeners.ts';
import { directory, endpoint } from '../testing/peers.ts';
import { TestAuthority } from '../testing/test-authority.ts';

t.test(
  'a listener chooses from its own certificates, the first for who names no host, and wants its TLS',
  async (t) => {
    const authority = new TestAuthority(t.testdir({}), 'test');
    const certificate = (name: string, host: string): Certificate => {
      const { key, cert } = authority.issue(name, 'serverAuth');
      return { name, key, chain: cert, hosts: [host], notBefore: 0, notAfter: 1 };
    };
    const edge = new EdgeConsumer(
      { clock: systemClock, log: silentLog, certificate: async () => authority.issue('made', 'serverAuth') },
      { httpPort: 0, httpsPort: 0, stopMs: 100 },
    );
    await edge.start();
    t.teardown(() => edge.stop());
    const listeners = {
      set: [
        listener('https', { table: 'l4', options: { certificates: ['two', 'three'], minTls: '1.3' } }),
        listener('https', { id: 'all' }),
      ],
      gone: [],
    };
    const certificates = {
      set: [
        certificate('one', 'one.test'),
        certificate('two', 'two.test'),
        certificate('three', 'three.test'),
      ],
      gone: [],
    };
    const routed = directory(1, [endpoint()], [ownRoute('/web', { host: 'one.test' })]);
    await edge.apply(applyDelta(routed, { from: 1, revision: 2, listeners, certificates }));
    const shown = async (id: string, servername: string, maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') => {
      const { port } = edge.listening.find((place) => place.id === id)!;
      const socket = connect({ port, host: '127.0.0.1', servername, maxVersion, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    t.equal(await shown('l4', 'three.test'), 'three');
    t.equal(await shown('l4', 'one.test'), 'two', 'one of the store that is not among them');
    t.equal(await shown('l4', ''), 'two');
    t.equal(await shown('all', 'one.test'), 'one');
    t.equal(await shown('all', 'one.test', 'TLSv1.2'), 'one');
    await t.rejects(shown('l4', 'two.test', 'TLSv1.2'));
    const [l4, all] = listeners.set;
    const changed = { set: [l4!, { ...all!, options: { minTls: '1.3' as const } }], gone: [] };
    const now = applyDelta(routed, { from: 1, revision: 3, listeners: changed, certificates });
    await edge.apply(now);
    t.equal(await shown('all', 'one.test'), 'one');
    await t.rejects(shown('all', 'one.test', 'TLSv1.2'), 'what it wants now holds for who comes now');
  },
);

t.test(
  'a certificate that cannot be made now is not waited for, and is made for who comes later',
  async (t) => {
    const authority = new TestAuthority(t.testdir({}), 'test');
    let canMake = false;
    const edge = new EdgeConsumer(
      {
        clock: systemClock,
        log: silentLog,
        async certificate(name) {
          if (!canMake) throw new Error('the disk is full');
          return authority.issue(name, 'serverAuth');
        },
      },
      { httpPort: 0, httpsPort: 0, stopMs: 100 },
    );
    await edge.start();
    t.teardown(() => edge.stop());
    await edge.apply(directory(1, [endpoint()]));
    const { port } = edge.listening.find(({ scheme }) => scheme === 'https')!;
    const handshake = async () => {
      const socket = connect({ port, host: '127.0.0.1', servername: 'web.test', rejectUnauthorized: false });
      t.teardown(() => socket.destroy());
      await once(socket, 'secureConnect');
      return socket.getPeerCertificate().subject.CN;
    };
    await t.rejects(handshake());
    canMake = true;
    t.equal(await handshake(), 'web.test');
  },
);
