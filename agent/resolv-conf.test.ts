import t from 'tap';
import { containerResolvConf, hostResolvConf } from './resolv-conf.ts';

t.test('a container asks one server, and its search list is its groups from the nearest on', async (t) => {
  t.equal(
    containerResolvConf('/shop/eu/web', '169.254.53.53'),
    'nameserver 169.254.53.53\nsearch eu.shop.weir shop.weir weir\noptions ndots:0 timeout:1 attempts:3\n',
  );
});

t.test('a deep group leaves out its nearest names, not the zone', async (t) => {
  const text = containerResolvConf('/a/b/c/d/e/f/g/h', '169.254.53.53');
  t.match(text, /^search e\.d\.c\.b\.a\.weir .* a\.weir weir$/m);
});

t.test("on the machine's own network, those whom the machine asks come after us, three in all", async (t) => {
  const machine = [
    '# by somebody',
    'domain corp.example',
    'nameserver 127.0.0.53',
    'nameserver\t169.254.53.53',
    'nameserver fd00::53',
    'nameserver 127.0.0.54',
    'options edns0',
  ].join('\n');
  t.equal(
    hostResolvConf('/web', '169.254.53.53', machine),
    'nameserver 169.254.53.53\nnameserver 127.0.0.53\nnameserver fd00::53\nsearch weir corp.example\noptions timeout:1 attempts:3\n',
  );
  t.equal(
    hostResolvConf('/web', '169.254.53.53', ''),
    'nameserver 169.254.53.53\nsearch weir\noptions timeout:1 attempts:3\n',
  );
});
