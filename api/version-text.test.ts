import t from 'tap';
import { versionOf } from './version-text.ts';

t.test('a version may be spelled in more than one way', async (t) => {
  const stored = '2026-03-01T09:15:04.000Z';
  for (const text of [stored, '2026-03-01T09:15:04Z', '2026-03-01T10:15:04+01:00', '2026-03-01T09:15:04.0Z'])
    t.equal(versionOf(text), stored, text);
  for (const text of ['v', '', '2026', '2026-99-01T09:15:04Z']) t.equal(versionOf(text), text);
});
