import t from 'tap';
import type { Certificate } from '../../../core/model/certificate.ts';
import { GivenCertificates } from './given-certificates.ts';

function given(...all: readonly Partial<Certificate>[]): GivenCertificates {
  const base = { chain: '', key: '', hosts: [], notBefore: 0, notAfter: 1 };
  return new GivenCertificates(
    new Map(all.map((one, n) => [one.name ?? `${n}`, { ...base, name: `${n}`, ...one }])),
  );
}

t.test('an exact host comes before a wildcard, whichever was given first', async (t) => {
  const certificates = given(
    { name: 'wild', hosts: ['*.example.org'], notAfter: 9 },
    { name: 'exact', hosts: ['a.example.org'] },
  );
  t.equal(certificates.find('a.example.org')?.name, 'exact');
  t.equal(certificates.find('b.example.org')?.name, 'wild');
});

t.test('a wildcard covers exactly one label', async (t) => {
  const certificates = given({ hosts: ['*.example.org'] });
  t.equal(certificates.find('example.org'), undefined);
  t.equal(certificates.find('a.b.example.org'), undefined);
  t.equal(certificates.find('org'), undefined);
});

t.test('of two certificates for a host the one that lasts longer is used', async (t) => {
  const certificates = given(
    { name: 'new', hosts: ['a.test'], notAfter: 20 },
    { name: 'old', hosts: ['a.test'], notAfter: 10 },
  );
  t.equal(certificates.find('a.test')?.name, 'new');
});

t.test('the default is the one that says so', async (t) => {
  t.equal(given({ hosts: ['a.test'] }).fallback, undefined);
  t.equal(given({ name: 'a' }, { name: 'b', default: true }).fallback?.name, 'b');
});
