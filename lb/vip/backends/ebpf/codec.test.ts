import t from 'tap';
import { memberKey, parseDump, place, serviceValue, slotKey } from './codec.ts';

const web = place('tcp', { address: '100.64.0.1', port: 80 });
const web6 = place('udp', { address: 'fd01:c::1', port: 53 });

t.test('a place is an address of 16 bytes, a port and a protocol, in the order of the network', async (t) => {
  t.equal(web, '00 00 00 00 00 00 00 00 00 00 ff ff 64 40 00 01 00 50 06 00');
  t.equal(web6, 'fd 01 00 0c 00 00 00 00 00 00 00 00 00 00 00 01 00 35 11 00');
  t.equal(serviceValue(3, true, 10_800), '03 00 00 00 01 00 00 00 30 2a 00 00');
  t.equal(memberKey(web, web6).split(' ').length, 40);
});

t.test('a dump is read whether its entries are on one line or on many', async (t) => {
  const folded = (hex: string) => hex.replace(/((?:\S\S ){15}\S\S) /g, '$1\n');
  const [key, value] = [slotKey(web, 2), web6];
  const many = `key:\n${folded(key)}\nvalue:\n${folded(value)}\nkey:\n${folded(web)}\nvalue:\n${folded(web)}\nFound 2 elements\n`;
  t.same(
    [...(await parseDump(many))],
    [
      [key, value],
      [web, web],
    ],
  );
  t.same(
    [...(await parseDump(`key: 01 02  value: 03 04\nkey: 05  value: 06\nFound 2 elements\n`))],
    [
      ['01 02', '03 04'],
      ['05', '06'],
    ],
  );
  t.same([...(await parseDump('Found 0 elements\n'))], []);
  t.same([...(await parseDump(''))], []);
});

t.test('a dump of thousands of entries is read whole', async (t) => {
  const text = Array.from({ length: 2_001 }, (_, i) => `key:\n${slotKey(web, i)}\nvalue:\n${web}\n`).join('');
  const read = await parseDump(`${text}Found 2001 elements\n`);
  t.equal(read.size, 2_001);
  t.equal(read.get(slotKey(web, 2_000)), web);
});
