import t from 'tap';
import { imageSource, registryWords } from './images-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

for (const [reference, source, repository] of [
  ['nginx', 'docker://nginx', 'nginx'],
  ['nginx:1.25', 'docker://nginx:1.25', 'nginx'],
  [`nginx:1.25@${digest}`, `docker://nginx@${digest}`, 'nginx'],
  ['reg.test:5000/a/b', 'docker://reg.test:5000/a/b', 'reg.test:5000/a/b'],
  ['reg.test:5000/a/b:v2', 'docker://reg.test:5000/a/b:v2', 'reg.test:5000/a/b'],
  ['docker://reg.test/a:v2', 'docker://reg.test/a:v2', 'reg.test/a'],
  ['oci:/some/dir:tag', 'oci:/some/dir:tag', 'oci:/some/dir:tag'],
  ['docker-archive:/a.tar', 'docker-archive:/a.tar', 'docker-archive:/a.tar'],
] as const) {
  t.test(`image ${reference} is found at ${source}`, async (t) => {
    t.match(imageSource(reference), { source, repository });
  });
}

t.test(
  'an image of a registry on this machine is fetched without verified TLS, others with it',
  async (t) => {
    const local = ['127.0.0.1:5000/a', 'localhost:5000/a', 'localhost/a', 'docker://127.0.0.1:5000/a'];
    for (const reference of local) t.equal(imageSource(reference).verifyTls, false, reference);
    const others = ['nginx', 'reg.test/a', 'localhost', '127.0.0.1.reg.test/a', '10.0.0.1:5000/a'];
    for (const reference of others) t.equal(imageSource(reference).verifyTls, true, reference);
  },
);

t.test('the words of a registry are those of the last fatal message', async (t) => {
  const text =
    'time="x" level=warning msg="retry"\ntime="x" level=fatal msg="reading \\"a\\": manifest unknown"';
  t.equal(registryWords(text), 'reading "a": manifest unknown');
  t.equal(registryWords(' no such host \n'), 'no such host');
});
