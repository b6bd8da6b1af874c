import t from 'tap';
import { openHost } from './host.ts';
import { standbys } from './masters.ts';
import { startRedis, withoutRedis } from './redis.ts';
import { deployUnderKills } from './under-kills.ts';

const skip = withoutRedis();
// On a busy machine.
t.setTimeout(300_000);

t.test(
  'checklist 20: a leader lost in mid-deployment: another one goes on with it, without an instance too many',
  { skip },
  async (t) => {
    const host = await openHost(t, 'leader');
    const masters = await standbys(host, await startRedis(host));
    await deployUnderKills(t, host, { masters, kills: 3 });
  },
);
