import t from 'tap';
import { FieldTable, fieldNames, knownNames, scanFields } from './fields.ts';

function scanned(name: string): FieldTable {
  const bytes = Buffer.from(`${name}: value\r\n\r\n`);
  const table = new FieldTable(4);
  t.equal(scanFields(bytes, 0, 0, bytes.length, table), bytes.length);
  return table;
}

t.test('every known field name is known, however it is spelt', async (t) => {
  for (const name of knownNames.filter((name) => name !== '(impostor)')) {
    t.equal(scanned(name).kind(0), name);
    t.equal(scanned(name.toUpperCase()).kind(0), name);
  }
});

t.test('a name one character off a known one is another', async (t) => {
  for (const name of knownNames.filter((name) => name !== 'other' && name !== '(impostor)')) {
    for (const near of [`${name}x`, `x${name}`, name.slice(1), name.slice(0, -1), `${name.slice(0, -1)}_`])
      t.equal(scanned(near).kind(0), 'other', near);
  }
});

t.test('a name that a service may take for a known one is an impostor', async (t) => {
  for (const name of ['X_Forwarded_For', 'x-forwarded_for', 'Content_Length', 'TRANSFER_ENCODING', 'Proxy'])
    t.equal(scanned(name).kind(0), '(impostor)', name);
  for (const name of ['X_Forwarded', 'Proxy_', '_Host', 'X_Other', 'Proxy-Foo'])
    t.equal(scanned(name).kind(0), 'other', name);
});

t.test('the known field names fit into a set of 32', async (t) => {
  t.ok(knownNames.length <= 32);
});

t.test('a field is in a set of names when its own name is', async (t) => {
  const names = fieldNames(['te', 'host']);
  t.ok(scanned('Host').isIn(names, 0));
  t.notOk(scanned('Via').isIn(names, 0));
  t.notOk(scanned('x-other').isIn(names, 0));
});
