import t from 'tap';
import { openHost } from './host.ts';
import { twoProcesses } from './masters.ts';
import { deployUnderKills } from './under-kills.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);

t.test('kill -9 of the master at twenty moments of deployments', { skip }, async (t) => {
  const host = await openHost(t, 'master');
  await deployUnderKills(t, host, { masters: await twoProcesses(host), kills: 20 });
});
