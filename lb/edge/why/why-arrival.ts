import type { ListenAddress } from '../../engine.ts';
import { broken, good, type WhyLink } from './why.ts';

const patienceMs = 3_000;
const usualPorts = { http: '80', https: '443' } as const;

/** Listener and certificate, tried from outside. Ends at the first broken one. */
export async function whyArrival(url: URL, listening: readonly ListenAddress[]): Promise<readonly WhyLink[]> {
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const place = placeFor(url, listening);
  const heard = listener(url, scheme, place);
  if (!heard.ok || place === undefined || scheme === 'http') return [heard];
  return [heard, await certificate(url.hostname, place)];
}

/** The one at the URL's port, else the one the edge was started with. */
export function placeFor(url: URL, listening: readonly ListenAddress[]): ListenAddress | undefined {
  const fitting = listening.filter(({ scheme }) => `${scheme}:` === url.protocol);
  return (
    fitting.find(({ port }) => String(port) === url.port) ??
    fitting.find(({ id }) => id.startsWith('*')) ??
    fitting[0]
  );
}

function listener(url: URL, scheme: 'http' | 'https', place: ListenAddress | undefined): WhyLink {
  const name = scheme.toUpperCase();
  if (place === undefined)
    return broken(
      'listener',
      `this edge does not serve ${name}`,
      `start the agent with --${scheme} HOST:PORT`,
    );
  const at = `${place.address}:${place.port}`;
  if (url.port !== '' && url.port !== String(place.port))
    return broken(
      'listener',
      `the URL asks port ${url.port}, this edge serves ${name} at ${at}`,
      `use port ${place.port}, or start the agent with --${scheme} HOST:${url.port}`,
    );
  const usual = usualPorts[scheme];
  const mapped = url.port === '' && String(place.port) !== usual;
  return good('listener', mapped ? `${at}; something else must lead there from port ${usual}` : at);
}

async function certificate(host: string, place: ListenAddress): Promise<WhyLink> {
  const { checkServerIdentity, connect } = await import('node:tls');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const address = place.address === '0.0.0.0' ? '127.0.0.1' : place.address;
  const socket = connect({ host: address, port: place.port, servername: host, rejectUnauthorized: false });
  socket.setTimeout(patienceMs, () => reject(new Error('no handshake in time')));
  socket.once('secureConnect', resolve);
  socket.once('error', reject);
  try {
    await promise;
    const shown = socket.getPeerCertificate();
    const mismatch = checkServerIdentity(host, shown);
    const until = new Date(shown.valid_to);
    if (mismatch !== undefined)
      return broken(
        'certificate',
        `the edge shows one that is not for ${host} but for ${shown.subjectaltname ?? shown.subject.CN}`,
        'give the host a route (weir route add), or a certificate of its own',
      );
    if (until.getTime() < Date.now())
      return broken('certificate', `it expired at ${until.toISOString()}`, 'replace it by a new one');
    return good('certificate', `${shown.subjectaltname ?? host}, until ${until.toISOString()}`);
  } catch (error) {
    return broken(
      'certificate',
      `no TLS connection can be made: ${error instanceof Error ? error.message : String(error)}`,
      'look into the log of the agent',
    );
  } finally {
    socket.destroy();
  }
}
