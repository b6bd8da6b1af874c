import type { Directory } from '../../core/model/directory.ts';
import type { FullReport } from '../edge/messages.ts';
import type { ListenAddress } from '../engine.ts';
import { configText } from './config-text.ts';
import { csvOf } from './csv.ts';
import { appMap, hostMap } from './maps.ts';
import { Measured } from './measured.ts';
import { pageOf } from './page.ts';
import { type Proxies, proxiesOf } from './proxies.ts';

/** One edge, as its statistics see it. */
export type StatisticsSource = {
  readonly edge: {
    /** That its workers have in force. */
    readonly inForce: Directory;
    readonly listening: readonly ListenAddress[];
    /** One for those that serve, one for each that still serves the clients it has while others have taken over. */
    readonly generations: readonly number[];
    reports(): Promise<readonly FullReport[]>;
    metrics(): Promise<string>;
  };
  /** Asks for the whole Directory again. */
  renew(): void;
};

export type Page = { readonly status: number; readonly type: string; readonly text: string };

/** The pages that marathon-lb has on port 9090 (ingress.md B6). `url`: path and query of a GET. */
export async function statisticsPage(url: string, source: StatisticsSource): Promise<Page> {
  const path = url.replace(/[?#].*/, '');
  if (path === '/haproxy' && /^\/haproxy\?stats(;|$)/.test(url)) return statistics(url, source);
  const answer = pages[path];
  return answer === undefined ? plain('there is no such page\n', 404) : answer(source);
}

const pages: Readonly<Record<string, (source: StatisticsSource) => Page | Promise<Page>>> = {
  '/_haproxy_health_check': health,
  '/_haproxy_getpids': ({ edge: { generations } }) => plain(generations.join(' ')),
  '/_haproxy_getconfig': async (source) => plain(configText(source.edge.inForce, await proxies(source))),
  '/_haproxy_getvhostmap': ({ edge: { inForce } }) => plain(hostMap(inForce)),
  '/_haproxy_getappmap': ({ edge: { inForce } }) => plain(appMap(inForce)),
  '/_mlb_signal/hup': signalled('SIGHUP'),
  '/_mlb_signal/usr1': signalled('SIGUSR1'),
  '/metrics': async (source) => ({
    ...plain(await source.edge.metrics()),
    type: 'text/plain; version=0.0.4; charset=utf-8',
  }),
};

async function statistics(url: string, source: StatisticsSource): Promise<Page> {
  const all = await proxies(source);
  const isCsv = url.split(';').slice(1).includes('csv');
  return isCsv ? plain(csvOf(all)) : { status: 200, type: 'text/html; charset=utf-8', text: pageOf(all) };
}

async function proxies({ edge }: StatisticsSource): Promise<Proxies> {
  const measured = new Measured(await edge.reports());
  return proxiesOf({ directory: edge.inForce, listening: edge.listening, measured });
}

function health({ edge: { inForce, generations } }: StatisticsSource): Page {
  return inForce.revision > 0 && generations.length > 0
    ? {
        status: 200,
        type: 'text/html',
        text: '<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n',
      }
    : {
        status: 503,
        type: 'text/html',
        text: '<html><body><h1>503 Service Unavailable</h1>\n</body></html>\n',
      };
}

/** Nothing has to be loaded again here: what is known is asked for anew, and compared with what is in force. */
function signalled(signal: string): (source: StatisticsSource) => Page {
  return (source) => {
    source.renew();
    return plain(`Sent ${signal} signal to marathon-lb`);
  };
}

function plain(text: string, status = 200): Page {
  return { status, type: 'text/plain', text };
}
