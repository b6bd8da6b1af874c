import { type HttpReply, notFound, pathParts } from './http-reply.ts';

/** Give Prometheus text: of the whole process, and of the resolver. */
export type MetricTexts = { readonly process: () => string; readonly dns: () => Promise<string> };

/** The names of ours that are in one of DC/OS's registries. */
const registries = new Map([
  ['l4lb', /weir_vip_/],
  ['overlay', /weir_(?:overlay|net)_/],
  ['mesos_listener', /weir_directory_/],
]);

/** `/v1/metrics` and `/v1/metrics/<registry>` (dns.md §11); undefined for any other path. */
export async function dcosMetrics(path: string, texts: MetricTexts): Promise<HttpReply | undefined> {
  const parts = pathParts(path);
  if (parts?.[0] !== 'v1' || parts[1] !== 'metrics') return undefined;
  if (parts.length === 2) return { status: 200, text: texts.process() + (await texts.dns()) };
  const [, , registry = ''] = parts;
  if (parts.length > 3) return notFound;
  if (registry === 'default') return { status: 200, text: texts.process() };
  if (registry === 'dns') return { status: 200, text: await texts.dns() };
  const names = registries.get(registry);
  return names === undefined ? notFound : { status: 200, text: only(texts.process(), names) };
}

/** The lines of metrics of these names, comments with them. */
function only(text: string, names: RegExp): string {
  const lines = text.split('\n').filter((line) => names.test(line.replace(/\{.*/, '')));
  return lines.map((line) => `${line}\n`).join('');
}
