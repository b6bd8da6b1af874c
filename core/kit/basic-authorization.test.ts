import t from 'tap';
import { apiTarget } from './basic-authorization.ts';

t.test('credentials of the URL come before those given, and leave the URL', async (t) => {
  t.same(apiTarget('http://127.0.0.1:8080/'), { url: 'http://127.0.0.1:8080' });
  t.same(apiTarget('http://127.0.0.1:8080', 'Aladdin:open sesame'), {
    url: 'http://127.0.0.1:8080',
    authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  });
  t.same(apiTarget('https://Aladdin:open%20sesame@h/base/', 'other:one'), {
    url: 'https://h/base',
    authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
  });
});
