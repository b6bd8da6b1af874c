import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../core/kit/errors.ts';
import { CommandFailed, run } from '../core/kit/exec.ts';
import { configDigest, type ImageConfig, manifestDigest, parseImageConfig } from './images-oci.ts';
import { imageSource, registryWords } from './images-reference.ts';
import { ImageUnavailable } from './runtime.ts';

export type Image = ImageConfig & {
  /** Of the manifest, `sha256:…`. */
  readonly digest: string;
  /** The unpacked files; shared, never to be written to. */
  readonly rootfs: string;
};

type Wanted = { readonly reference: string; readonly forcePull: boolean };

const pullMs = 15 * 60_000;

/**
 * Images on this machine, by skopeo and umoci. In `dir`: `layouts/` OCI layouts, one per repository, so that versions
 * share layers; `unpacked/DIGEST/` the files; `references/` the digest each reference meant when it was last fetched.
 */
export class Images {
  readonly #dir: string;
  /** One fetch at a time per repository: they write the same layout. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(options: { dir: string }) {
    this.#dir = options.dir;
  }

  /** From disk if it was fetched before, unless `forcePull`. Throws ImageUnavailable. */
  async get(wanted: Wanted, signal?: AbortSignal): Promise<Image> {
    const known = wanted.forcePull ? undefined : await this.#known(wanted.reference);
    if (known !== undefined) return known;
    const { repository } = imageSource(wanted.reference);
    const before = this.#queues.get(repository) ?? Promise.resolve();
    const fetched = before
      .catch(() => {})
      .then(async () => (wanted.forcePull ? undefined : await this.#known(wanted.reference)))
      .then((image) => image ?? this.#fetch(wanted.reference, signal));
    this.#queues.set(repository, fetched);
    try {
      return await fetched;
    } finally {
      if (this.#queues.get(repository) === fetched) this.#queues.delete(repository);
    }
  }

  async #known(reference: string): Promise<Image | undefined> {
    const digest = await readFile(this.#referenceFile(reference), 'utf8').catch(() => undefined);
    return digest === undefined ? undefined : this.#unpacked(digest).catch(() => undefined);
  }

  async #fetch(reference: string, signal: AbortSignal | undefined): Promise<Image> {
    try {
      const { layout, name } = await this.#copy(reference, signal);
      const digest = manifestDigest(await readFile(join(layout, 'index.json'), 'utf8'), name);
      if (digest === undefined) throw new Error(`its layout has no manifest named ${name}`);
      const image = await this.#unpacked(digest).catch(() => this.#unpack({ layout, name, digest, signal }));
      await writeFile(`${this.#referenceFile(reference)}.new`, digest);
      await rename(`${this.#referenceFile(reference)}.new`, this.#referenceFile(reference));
      return image;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new ImageUnavailable(reference, wordsOf(error), error);
    }
  }

  async #copy(reference: string, signal?: AbortSignal): Promise<{ layout: string; name: string }> {
    const { source, repository, verifyTls } = imageSource(reference);
    const layout = join(this.#dir, 'layouts', shortHash(repository));
    const name = shortHash(source);
    await mkdir(join(this.#dir, 'layouts'), { recursive: true, mode: 0o700 });
    await mkdir(join(this.#dir, 'references'), { recursive: true });
    const tls = verifyTls ? [] : ['--src-tls-verify=false'];
    // Which signatures are demanded is the operator's policy where there is one; without the file skopeo refuses to work.
    const policy = (await hasPolicy()) ? [] : ['--insecure-policy'];
    const args = [
      ...policy,
      'copy',
      '--quiet',
      '--retry-times',
      '2',
      ...tls,
      source,
      `oci:${layout}:${name}`,
    ];
    await run('skopeo', args, { timeoutMs: pullMs, ...(signal === undefined ? {} : { signal }) });
    return { layout, name };
  }

  /** Throws when it is not there (whole). */
  async #unpacked(digest: string): Promise<Image> {
    const dir = this.#unpackedDir(digest);
    const config = parseImageConfig(await readFile(join(dir, 'config.json'), 'utf8'));
    await stat(join(dir, 'rootfs'));
    return { ...config, digest, rootfs: join(dir, 'rootfs') };
  }

  /** Into a directory beside, which takes its name when it is whole. */
  async #unpack(from: {
    layout: string;
    name: string;
    digest: string;
    signal: AbortSignal | undefined;
  }): Promise<Image> {
    const { layout, name, digest, signal } = from;
    const dir = this.#unpackedDir(digest);
    await rm(`${dir}.new`, { recursive: true, force: true });
    await rm(dir, { recursive: true, force: true });
    await mkdir(`${dir}.new`, { recursive: true });
    await run('umoci', ['raw', 'unpack', '--image', `${layout}:${name}`, join(`${dir}.new`, 'rootfs')], {
      timeoutMs: pullMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const config = configDigest(await readBlob(layout, digest));
    if (config === undefined) throw new Error('its manifest names no configuration');
    await writeFile(join(`${dir}.new`, 'config.json'), await readBlob(layout, config));
    await rename(`${dir}.new`, dir);
    return this.#unpacked(digest);
  }

  #unpackedDir(digest: string): string {
    return join(this.#dir, 'unpacked', digest.replace(':', '-'));
  }

  #referenceFile(reference: string): string {
    return join(this.#dir, 'references', shortHash(reference));
  }
}

async function readBlob(layout: string, digest: string): Promise<string> {
  return readFile(join(layout, 'blobs', ...digest.split(':')), 'utf8');
}

async function hasPolicy(): Promise<boolean> {
  return stat('/etc/containers/policy.json').then(
    () => true,
    () => false,
  );
}

function wordsOf(error: unknown): string {
  if (error instanceof CommandFailed && error.stderr !== '') return registryWords(error.stderr);
  const missing = /spawn (skopeo|umoci) ENOENT/.exec(errorText(error))?.[1];
  if (missing !== undefined) return `${missing} is not installed on this machine`;
  return errorText(error);
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
