import type { JsonSchema } from '../marathon/schema.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** One thing the API does, as people and programs look it up. */
export type Operation = {
  readonly method: Method;
  /** The route that answers, as it is declared: `/v2/apps/*`. One route may do several things. */
  readonly route: string;
  /** The path as it is called, parameters in braces: `/v2/apps/{app}/tasks`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: readonly QueryName[];
  readonly body?: JsonSchema;
  /** Answers apart from errors; by default 200 with JSON. */
  readonly answers?: Readonly<Record<number, string>>;
  readonly answer?: JsonSchema;
  /** Of the answer; by default JSON. */
  readonly type?: string;
};

const flag = { type: 'boolean', default: false };
const texts = { type: 'array', items: { type: 'string' } };

/** Every query parameter there is: what it does, and its form. */
export const queryParameters = {
  force: { description: 'Cancels deployments that hold what is to be changed.', schema: flag },
  partialUpdate: {
    description: 'Only the fields given are changed.',
    schema: { type: 'boolean', default: true },
  },
  dryRun: { description: 'Shows the steps and changes nothing.', schema: flag },
  scale: { description: 'Lowers the number of instances by those that are ended.', schema: flag },
  wipe: { description: 'Also gives up what was set aside for the instance.', schema: flag },
  host: { description: 'Only on this host; * for all.', schema: { type: 'string' } },
  embed: { description: 'What else is shown; may be repeated.', schema: texts },
  cmd: { description: 'Only apps whose command has this in it.', schema: { type: 'string' } },
  id: { description: 'Only apps whose id has this in it.', schema: { type: 'string' } },
  label: {
    description: 'A label selector, such as tier==web,team in (red,blue).',
    schema: { type: 'string' },
  },
  status: { description: 'running or staging; may be repeated.', schema: texts },
  event_type: { description: 'Only events of this type; may be repeated.', schema: texts },
  'plan-format': { description: 'light, or heavy with the groups.', schema: { type: 'string' } },
  url: { description: 'http://HOST/PATH or https://HOST/PATH.', schema: { type: 'string' } },
  method: { description: 'Of the request; default GET.', schema: { type: 'string' } },
  header: { description: 'A field of the request, as Name: value; may be repeated.', schema: texts },
  client: { description: 'Address that asks; default 127.0.0.1.', schema: { type: 'string' } },
  backup: { description: 'Not built: 501.', schema: { type: 'string' } },
  restore: { description: 'Not built: 501.', schema: { type: 'string' } },
  name: { description: 'The name to ask for.', schema: { type: 'string' } },
  type: { description: 'The type of record.', schema: { type: 'string', default: 'A' } },
  node: { description: 'The host whose resolver is asked.', schema: { type: 'string' } },
  stream: { description: 'stdout or stderr.', schema: { type: 'string' } },
  container: { description: 'Of a pod, which of its containers.', schema: { type: 'string' } },
  tail: { description: 'So many of the last lines.', schema: { type: 'integer' } },
  since: { description: 'The revision that is there already.', schema: { type: 'integer' } },
} as const;

export type QueryName = keyof typeof queryParameters;
