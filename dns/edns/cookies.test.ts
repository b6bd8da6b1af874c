import t from 'tap';
import { Cookies } from './cookies.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (option: Uint8Array) => Buffer.from(option.subarray(4)).toString('hex');

/** RFC 9018 appendix A: secrets, addresses and times. */
const secret = bytes('e5e973e5a6b2a43f48e7dc849e37bfcf');
const client = '2464c4abcf10c957';
const server = '010000005cf79f111f8130c3eee29480';
const address = Uint8Array.of(198, 51, 100, 100);
const made = 1_559_731_985;

t.test('a new client is given the cookie of RFC 9018', async (t) => {
  const cookies = new Cookies(secret);
  t.equal(cookies.read(bytes(client), address, made), 'new');
  t.equal(hex(cookies.option), client + server);
});

t.test('a cookie of ours proves the address it was made for, and no other', async (t) => {
  const cookies = new Cookies(secret);
  const mine = bytes(client + server);
  t.equal(cookies.read(mine, address, made + 60), 'proven');
  t.equal(hex(cookies.option), client + server, 'the same goes back');
  t.equal(cookies.read(mine, Uint8Array.of(198, 51, 100, 101), made + 60), 'new');
  t.equal(new Cookies(new Uint8Array(16)).read(mine, address, made + 60), 'new', 'another secret');
  t.equal(cookies.read(bytes(`${client.replace('24', '25')}${server}`), address, made), 'new');
});

t.test('a cookie is renewed after half an hour and worth nothing after one', async (t) => {
  const cookies = new Cookies(secret);
  const mine = bytes(client + server);
  t.equal(cookies.read(mine, address, made + 1_801), 'proven');
  t.not(hex(cookies.option), client + server);
  t.equal(cookies.read(mine, address, made + 3_601), 'new');
  t.equal(cookies.read(mine, address, made - 301), 'new', 'from the future');
});

t.test('an IPv6 client has its cookie too', async (t) => {
  const cookies = new Cookies(bytes('dd3bdf9344b678b185a6f5cb60fca715'));
  const six = bytes('20010db80220000159def4f88414d5'.padEnd(32, '0'));
  t.equal(cookies.read(bytes(client), six, made), 'new');
  t.equal(cookies.read(cookies.option.slice(4), six, made), 'proven');
});

t.test('a cookie of a length that cannot be is bad', async (t) => {
  const cookies = new Cookies(secret);
  for (const length of [0, 1, 7, 9, 15, 41]) {
    t.equal(cookies.read(new Uint8Array(length), address, made), 'bad', `${length} bytes`);
  }
  for (const length of [16, 40]) t.equal(cookies.read(new Uint8Array(length), address, made), 'new');
});
