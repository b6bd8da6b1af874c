import { X509Certificate } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { errorCode, errorText } from '../../core/kit/errors.ts';
import type { Challenge } from '../../core/model/issuance.ts';
import { challengeProtocol } from '../edge/tls/challenge-server.ts';
import { type CaaRecord, challengePorts, type Refusal, type Surroundings } from './ports.ts';

const answerMs = 5_000;

/** The network as this machine sees it. */
export const realSurroundings: Surroundings = {
  async addresses(host, resolver) {
    const asked = resolverAt(resolver);
    const found = await Promise.allSettled([asked.resolve4(host), asked.resolve6(host)]);
    const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [first] = found;
    if (addresses.length === 0 && first.status === 'rejected') throw first.reason;
    return addresses;
  },

  async caa(name, resolver) {
    const records = await resolverAt(resolver).resolveCaa(name);
    return records.flatMap((record) => readRecord(record));
  },

  prove: (address, challenge) =>
    challenge.type === 'http-01' ? proveByPage(address, challenge) : proveByCertificate(address, challenge),
};

function resolverAt(resolver: string | undefined): Resolver {
  const asked = new Resolver({ timeout: 3_000, tries: 2 });
  if (resolver !== undefined) asked.setServers([resolver]);
  return asked;
}

/** Node gives each property as a field of its own name. */
function readRecord(record: object): readonly CaaRecord[] {
  return Object.entries(record).flatMap(([tag, value]) =>
    typeof value === 'string' && tag !== 'type' ? [{ tag, value }] : [],
  );
}

type Page = Extract<Challenge, { type: 'http-01' }>;
type Proof = Extract<Challenge, { type: 'tls-alpn-01' }>;

function proveByPage(address: string, { host, token, content }: Page): Promise<Refusal | undefined> {
  const { promise, resolve } = Promise.withResolvers<Refusal | undefined>();
  const path = `/.well-known/acme-challenge/${token}`;
  const headers = { host, connection: 'close' };
  const port = challengePorts['http-01'];
  const asked = request(
    { host: address, port, path, headers, agent: false, timeout: answerMs },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > content.length) response.destroy();
      });
      response.on('close', () => {
        if (response.statusCode === 200 && text === content) resolve(undefined);
        else resolve({ kind: 'stranger', detail: `it answered ${response.statusCode} with something else` });
      });
    },
  );
  asked.on('timeout', () => asked.destroy(new Error('no answer')));
  asked.on('error', (error) => resolve(unanswered(error)));
  asked.end();
  return promise;
}

function proveByCertificate(address: string, { host, certificate }: Proof): Promise<Refusal | undefined> {
  const { promise, resolve } = Promise.withResolvers<Refusal | undefined>();
  const socket = connect({
    ...{ host: address, port: challengePorts['tls-alpn-01'], timeout: answerMs },
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: [challengeProtocol],
    // It is the very certificate that is looked for, signed by itself.
    rejectUnauthorized: false,
  });
  socket.on('secureConnect', () => {
    const shown = socket.getPeerX509Certificate()?.fingerprint256;
    const isOurs = shown === new X509Certificate(certificate).fingerprint256;
    if (isOurs && socket.alpnProtocol === challengeProtocol) resolve(undefined);
    else resolve({ kind: 'stranger', detail: `it does not speak ${challengeProtocol} for this host` });
    socket.destroy();
  });
  socket.on('timeout', () => socket.destroy(new Error('no answer')));
  socket.on('error', (error) => resolve(unanswered(error)));
  return promise;
}

function unanswered(error: unknown): Refusal {
  const code = errorCode(error);
  if (code === 'ECONNREFUSED') return { kind: 'closed', detail: 'connection refused' };
  return { kind: 'silent', detail: code ?? errorText(error) };
}
