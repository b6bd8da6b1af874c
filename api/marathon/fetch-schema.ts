import type { FetchUri } from '../../core/model/fetch-uri.ts';
import { type Faults, flag, list, object, optional, required, text } from './schema.ts';

/** `fetch` of apps and `artifacts` of a pod's containers (Marathon §18.4, §19.1). */
export const fetchList = list(
  object({
    uri: required(text({ minLength: 1, maxLength: 1024 })),
    extract: optional(flag),
    executable: optional(flag),
    cache: optional(flag),
    destPath: optional(text()),
  }),
);

export function fetchUriOf(input: Pick<FetchUri, 'uri'> & Partial<FetchUri>): FetchUri {
  return { extract: true, executable: false, cache: false, ...input };
}

/** A URL, or a path on the agent (§18.4). */
export function checkUri(uri: string, path: string, faults: Faults): void {
  if (uri === '' || /[\s<>"{}|\\^`]/.test(uri) || !URL.canParse(uri, 'file:///'))
    faults.add(path, 'URI has invalid syntax.');
}
