import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Agent, interceptors, request } from 'undici';
import { errorText, WeirError } from '../core/kit/errors.ts';
import type { FetchUri } from '../core/model/fetch-uri.ts';
import { archiveOf, unpack } from './archive.ts';

/** A file that an app wants in its sandbox cannot be had; the instance fails with this (Marathon §18.4). */
export class ArtifactUnavailable extends WeirError {
  constructor(uri: string, detail: string, cause?: unknown) {
    super('WEIR_ARTIFACT_UNAVAILABLE', `Cannot fetch ${withoutSecrets(uri)}: ${detail}`, { cause });
  }
}

/** A server that says nothing for this long is given up. */
const silenceMs = 60_000;
const mostRedirects = 5;

/**
 * Puts files into a new sandbox, in order; archives are unpacked beside themselves. Nothing is written outside of the sandbox,
 * whatever the files hold. Throws ArtifactUnavailable.
 */
export async function fetchArtifacts(
  artifacts: readonly FetchUri[],
  sandbox: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const artifact of artifacts) {
    try {
      await fetchOne(artifact, { sandbox: await realpath(sandbox), signal });
    } catch (error) {
      if (signal?.aborted || error instanceof ArtifactUnavailable) throw error;
      throw new ArtifactUnavailable(artifact.uri, errorText(error), error);
    }
  }
}

type Where = { readonly sandbox: string; readonly signal: AbortSignal | undefined };

async function fetchOne(artifact: FetchUri, { sandbox, signal }: Where): Promise<void> {
  const url = new URL(artifact.uri, 'file:///');
  const name = artifact.destPath ?? decodeURIComponent(basename(url.pathname));
  const path = await placeFor(name, { artifact, sandbox });
  await pipeline(await sourceOf(url, artifact, signal), createWriteStream(path, { flags: 'wx' }), {
    ...(signal === undefined ? {} : { signal }),
  });
  if (artifact.executable) return chmod(path, 0o755);
  const kind = artifact.extract ? archiveOf(name) : undefined;
  if (kind !== undefined) await unpack({ path, kind, sandbox }, signal);
}

/** The path of a file that is not there; what an earlier archive made of its folders must not lead out of the sandbox. */
async function placeFor(
  name: string,
  { artifact, sandbox }: { artifact: FetchUri; sandbox: string },
): Promise<string> {
  const path = join(sandbox, name);
  if (!path.startsWith(`${sandbox}/`) || name === '')
    throw new ArtifactUnavailable(artifact.uri, `"${name}" is no path below the sandbox`);
  await mkdir(dirname(path), { recursive: true });
  const folder = await realpath(dirname(path));
  if (folder !== sandbox && !folder.startsWith(`${sandbox}/`))
    throw new ArtifactUnavailable(artifact.uri, `"${name}" leads out of the sandbox`);
  await rm(path, { recursive: true, force: true });
  return path;
}

async function sourceOf(url: URL, { uri }: FetchUri, signal: AbortSignal | undefined): Promise<Readable> {
  if (url.protocol === 'file:') return createReadStream(fileURLToPath(url));
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new ArtifactUnavailable(
      uri,
      `${url.protocol} is not spoken; http:, https: and paths of the machine are`,
    );
  const dispatcher = new Agent({ headersTimeout: silenceMs, bodyTimeout: silenceMs, pipelining: 0 }).compose(
    interceptors.redirect({ maxRedirections: mostRedirects }),
  );
  const { statusCode, body } = await request(url, {
    dispatcher,
    ...(signal === undefined ? {} : { signal }),
  });
  if (statusCode === 200) return body;
  await body.dump();
  throw new ArtifactUnavailable(uri, `the server answered ${statusCode}`);
}

/** Passwords and tokens in addresses are not for logs. */
function withoutSecrets(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//***@').replace(/\?.*/, '?…');
}
