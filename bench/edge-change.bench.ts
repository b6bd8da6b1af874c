/**
 * 1,000 changes each of others' routes, of a certificate, and of endpoints, while 2,000 requests a second and 500 WebSockets go through
 * one edge worker: how many requests fail and how many WebSockets are lost. The bound is none of either.
 */
import { changeUnderLoad } from '../lb/edge/testing/steady/change-under-load.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds } from './numbers.ts';

const changes = Number(process.argv[2] ?? 1_000);
const rate = Number(process.argv[3] ?? 2_000);
const sockets = 500;
const changesPerSecond = 75;

await insideOwnNetwork(import.meta.url, async (folder) => {
  const report = await changeUnderLoad({ changes, changesPerSecond, rate, sockets, folder });
  const failed = Object.values(report.failures).reduce((sum, count) => sum + count, 0);
  console.log(
    `${3 * changes} changes in ${report.seconds.toFixed(1)} s under ${(report.sent / report.seconds).toFixed(0)} requests/s: ` +
      `${report.answered} answered, ${failed} failed ${failed === 0 ? '' : JSON.stringify(report.failures)}; ` +
      `${sockets} WebSockets: ${report.lost} lost, ${report.echoes} messages came back`,
  );
  console.log(`waits: p50 ${milliseconds(report.p50Ms)}, p99 ${milliseconds(report.p99Ms)}`);
  conclude({
    bench: 'edge-change',
    changes: 3 * changes,
    ...report,
    failed,
    ok: failed === 0 && report.lost === 0 && report.answered === report.sent,
  });
});
