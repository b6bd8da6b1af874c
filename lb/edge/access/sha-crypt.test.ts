import { execFileSync } from 'node:child_process';
import t from 'tap';
import { matchesCrypted } from './sha-crypt.ts';

const known = [
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'a longer secret',
    '$6$rounds=1400$anotherlongsalts$JCrD6q8hf9iKmY3e49t.IHfE/va8ZHIq41lvQzAVmFdE2exgSrQxUzQkNGIfEHx4CF1u02PmlwOrrhvmMuz3r1',
  ],
] as const;

t.test('a password matches what crypt(3) made of it, and no other does', async (t) => {
  for (const [password, crypted] of known) {
    t.ok(await matchesCrypted(password, crypted), crypted);
    t.notOk(await matchesCrypted(`${password}x`, crypted));
    t.notOk(await matchesCrypted('', crypted));
  }
});

t.test('passwords of any length match what openssl makes of them', async (t) => {
  for (const length of [1, 15, 31, 32, 33, 63, 64, 65, 130]) {
    for (const kind of ['-5', '-6']) {
      const password = 'pä'.repeat(length).slice(0, length);
      const salt = 'abcdefghijklmnop'.slice(0, 1 + (length % 16));
      const crypted = execFileSync('openssl', ['passwd', kind, '-salt', salt, '-stdin'], { input: password });
      t.ok(await matchesCrypted(password, crypted.toString().trim()), `${kind} ${length}`);
    }
  }
});

t.test('what crypt(3) makes in other ways matches nothing', async (t) => {
  for (const crypted of ['', '$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1', 'plain', '$6$$', '$7$a$b'])
    t.notOk(await matchesCrypted('plain', crypted));
});
