import t from 'tap';
import { openHost } from './host.ts';
import { oneProcess } from './masters.ts';
import { deployUnderKills } from './under-kills.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);

t.test('kill -9 of master and agent at once at twenty moments of deployments', { skip }, async (t) => {
  const host = await openHost(t, 'whole');
  await deployUnderKills(t, host, { masters: await oneProcess(host), kills: 20 });
});
