import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/kit/exec.ts';
import type { Lab } from '../lab/lab.ts';
import { becomes } from '../lab/processes.ts';

/** A real ACME authority, Debian's pebble, on the first host of a lab, with a name server whose records the test sets. */
export type Pebble = {
  readonly directory: string;
  /** PEM file of who signed the certificate of its API. */
  readonly trust: string;
  /** `address:port` of the name server that it asks. */
  readonly resolver: string;
  /** What the name has; replaces what it had. */
  addresses(name: string, addresses: readonly string[]): Promise<void>;
  caa(name: string, value: string): Promise<void>;
  /** Ends it, and starts another one that remembers nothing. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
};

export type PebbleOptions = {
  /** Its variables: PEBBLE_WFE_NONCEREJECT and so on. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long certificates live, s. */
  readonly lifetime?: number;
};

const readyWithinMs = 20_000;

export async function startPebble(
  lab: Lab,
  { env = {}, lifetime = 7_776_000 }: PebbleOptions,
): Promise<Pebble> {
  const [host] = lab.hosts;
  const { name: hostName = '', address = '', dir = '' } = host ?? {};
  const folder = join(dir, 'pebble');
  mkdirSync(folder);
  const file = (name: string) => join(folder, name);
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', file('api.key'), '-out', file('api.crt'), '-subj', '/CN=pebble'],
    ...['-addext', `subjectAltName=IP:${address}`],
  ]);
  const config = {
    ...{ listenAddress: `${address}:14000`, managementListenAddress: `${address}:15000` },
    ...{ certificate: file('api.crt'), privateKey: file('api.key') },
    ...{ httpPort: 80, tlsPort: 443, ocspResponderURL: '', certificateValidityPeriod: lifetime },
  };
  writeFileSync(file('config.json'), JSON.stringify({ pebble: config }));
  const resolver = `${address}:8053`;
  const nothingElse = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  const servers = [
    '-dns01',
    resolver,
    '-management',
    `${address}:8055`,
    '-defaultIPv4',
    '',
    '-defaultIPv6',
    '',
  ];
  await lab.start(hostName, 'names', ['pebble-challtestsrv', ...servers, ...nothingElse]);
  const start = async () => {
    const argv = ['pebble', '-config', file('config.json'), '-dnsserver', resolver, '-strict'];
    await lab.start(hostName, 'pebble', argv, { env });
    const answers = ['curl', '-sf', '--cacert', file('api.crt'), `https://${address}:14000/dir`];
    const ready = await becomes(
      async () => (await lab.exec(hostName, answers)).exitCode === 0,
      readyWithinMs,
    );
    if (!ready) throw new Error(`pebble does not answer:\n${readFileSync(join(dir, 'pebble.log'), 'utf8')}`);
  };
  const stop = () => lab.kill(hostName, 'pebble');
  const tell = async (path: string, body: object) => {
    const url = `http://${address}:8055/${path}`;
    const told = await lab.exec(hostName, [
      'curl',
      '-sf',
      '--retry',
      '20',
      '--retry-connrefused',
      '--retry-delay',
      '1',
      '-d',
      JSON.stringify(body),
      url,
    ]);
    if (told.exitCode !== 0) throw new Error(`the name server does not take ${path}: ${told.stderr}`);
  };
  await start();
  return {
    directory: `https://${address}:14000/dir`,
    trust: file('api.crt'),
    resolver,
    async addresses(name, addresses) {
      await tell('clear-a', { host: `${name}.` });
      if (addresses.length > 0) await tell('add-a', { host: `${name}.`, addresses });
    },
    caa: (name, value) => tell('add-caa', { host: `${name}.`, policies: [{ tag: 'issue', value }] }),
    async restart() {
      await stop();
      await start();
    },
    start,
    stop,
  };
}
