import { echoApp, type LabelHost, openLabelHost } from '../labels/label-host.ts';

type Json = Readonly<Record<string, unknown>>;
type Teardown = { teardown(end: () => Promise<void>): void };

/** A machine with Weir on it, and `/edge/echo`, whose port `p0` speaks HTTP and whose `p1` HTTP over TLS. */
export type PoolHost = LabelHost & {
  /** Resolves when the pool's frontends are open. */
  create(pool: Json): Promise<void>;
  /** Head and body of an answer over TLS to `port`, or nothing. */
  secure(host: string, port: number, path?: string): Promise<string>;
  /** Key and self-signed certificate for a name, PEM. */
  certificate(name: string): Promise<{ readonly key: string; readonly cert: string }>;
};

export const base = '/service/edgelb/v2/pools';

/** `engine`: that the edge serves with. */
export async function openPoolHost(t: Teardown, label: string, engine: string): Promise<PoolHost> {
  const edge = await openLabelHost(t, label, { engine });
  const { host, api } = edge;
  const certificate = async (name: string) => {
    const [key, cert] = [`${host.dir}/${name}.key`, `${host.dir}/${name}.crt`];
    await host.shell(
      `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name} ` +
        `-addext subjectAltName=DNS:${name} -keyout ${key} -out ${cert} 2>/dev/null`,
    );
    return { key: await host.shell(`cat ${key}`), cert: await host.shell(`cat ${cert}`) };
  };
  const { key, cert } = await certificate('echo.test');
  await edge.deploy(
    echoApp('/edge/echo', {}, { ports: [0, 0], instances: 2, env: { TLS_KEY: key, TLS_CERT: cert } }),
  );
  return {
    ...edge,
    certificate,
    async create(pool) {
      await api.must('POST', base, pool);
      await api.spread();
      type Shown = { readonly frontends: readonly { readonly state: string }[] };
      await api.eventually<Shown>(`/v1/pools/${pool['name']}`, ({ frontends }) =>
        frontends.every(({ state }) => state.startsWith('open on 1/1')),
      );
    },
    async secure(name, port, path = '/') {
      const place = `${name}:${port}:127.0.0.1`;
      const url = `https://${name}:${port}${path}`;
      const { stdout } = await host.exec(['curl', '-ski', '--max-time', '5', '--resolve', place, url]);
      return stdout;
    },
  };
}

export function pool(
  name: string,
  frontends: readonly Json[],
  backends: readonly Json[],
  more: Json = {},
): Json {
  return { apiVersion: 'V2', name, haproxy: { stats: { bindPort: 0 }, frontends, backends }, ...more };
}

/** Of `/edge/echo`. */
export function backend(name: string, more: Json = {}, portName = 'p0'): Json {
  const services = [{ marathon: { serviceID: '/edge/echo' }, endpoint: { portName } }];
  return { name, protocol: 'HTTP', services, ...more };
}
