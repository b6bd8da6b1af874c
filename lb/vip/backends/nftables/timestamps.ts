import type { Log } from '../../../../core/kit/log.ts';
import type { HostExec } from './host.ts';

const setting = '/proc/sys/net/ipv4/tcp_timestamps';

/**
 * TCP timestamps that count from one origin whatever the destination.
 *
 * By default (1) Linux adds a random offset for each pair of addresses, so connections to a backend and to its VIP have
 * clocks that differ. The backend sees them come from one address; when a port returns while its last connection still
 * rests there (TIME_WAIT), the new one is taken only if its clock is ahead (RFC 6191). With two clocks half of those are
 * not, and stand still until they are sent again: a second on older kernels. 2 is timestamps without the offset. It tells
 * who may connect here how long the machine has been up, as Linux did before 4.10.
 *
 * It stays when the backend is removed: going back would make the clocks of the last minute differ once more.
 */
export async function alignTimestamps(exec: HostExec, log: Log): Promise<void> {
  const read = await exec('cat', [setting]);
  if (read.stdout.trim() !== '1') return;
  const written = await exec('tee', [setting], '2');
  if (written.exitCode === 0)
    log.info('vip: net.ipv4.tcp_timestamps is 2 now, so that ports can return early');
  else
    log.warn('vip: cannot set net.ipv4.tcp_timestamps to 2, returning ports may stand still', {
      error: written.stderr,
    });
}
