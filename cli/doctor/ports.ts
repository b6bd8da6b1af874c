import { errorText } from '../../core/kit/errors.ts';
import { checkPorts, type WantedPort } from '../compose/port-check.ts';
import { defaults, parseAddress } from '../options/settings.ts';

export type PortState = {
  readonly what: string;
  readonly flag: string;
  /** `127.0.0.1:8080` */
  readonly at: string;
  /** Undefined: free. */
  readonly problem: string | undefined;
};

type Flag = 'api' | 'http' | 'https' | 'dns' | 'dnsHttp';
const flags: readonly (readonly [Flag, what: string, flag: string, variable: string])[] = [
  ['api', 'API', '--api', 'WEIR_API'],
  ['http', 'edge, HTTP', '--http', 'WEIR_HTTP'],
  ['https', 'edge, HTTPS', '--https', 'WEIR_HTTPS'],
  ['dns', 'resolver', '--dns', 'WEIR_DNS'],
  ['dnsHttp', 'Mesos-DNS HTTP API', '--dns-http', 'WEIR_DNS_HTTP'],
];

/** Whether `weir dev` could listen where it wants to now. */
export async function portStates(): Promise<readonly PortState[]> {
  return Promise.all(
    flags.map(async ([key, what, flag, variable]) => {
      const text = process.env[variable] ?? defaults[key];
      return { what, flag, at: text, problem: await problemOf({ what, flag, text, udp: key === 'dns' }) };
    }),
  );
}

type Wish = Omit<WantedPort, 'at'> & { readonly text: string };

async function problemOf({ text, ...wish }: Wish): Promise<string | undefined> {
  try {
    const at = parseAddress(text);
    await checkPorts([{ ...wish, at }]);
    return undefined;
  } catch (error) {
    // `Cannot listen on HOST:PORT for the API: the port is in use by …`: the table has said all but the end.
    return errorText(error).replace(/^Cannot listen [^:]*:\d+[^:]*: /, '');
  }
}
