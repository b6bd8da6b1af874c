/** Where skopeo finds an image. */
export type ImageSource = {
  /** A skopeo reference, `docker://…`. */
  readonly source: string;
  /** What images share that are likely to share layers: the source without tag and digest. */
  readonly repository: string;
  /** False for a registry of this machine, which speaks plain HTTP or shows a certificate of its own. */
  readonly verifyTls: boolean;
};

const transport = /^(docker|oci|oci-archive|docker-archive|dir):/;

/** From an image name as Docker writes it, or a skopeo reference. */
export function imageSource(reference: string): ImageSource {
  const kind = transport.exec(reference)?.[1];
  if (kind !== undefined && kind !== 'docker') {
    return { source: reference, repository: reference, verifyTls: true };
  }
  const name = reference.replace(/^docker:(\/\/)?/, '');
  const { repository, tag, digest } = splitName(name);
  // skopeo refuses a name with both; the digest decides anyway.
  const suffix = digest !== undefined ? `@${digest}` : tag !== undefined ? `:${tag}` : '';
  return {
    source: `docker://${repository}${suffix}`,
    repository,
    verifyTls: !/^(localhost|127(\.\d+){3})(:\d+)?\//.test(repository),
  };
}

function splitName(name: string): { repository: string; tag?: string; digest?: string } {
  const [beforeDigest = '', digest] = name.split('@');
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash + 1);
  const repository = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  return { repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The last fatal message of skopeo or umoci (`time=… level=fatal msg="…"`), or all they said. */
export function registryWords(text: string): string {
  const messages = [...text.matchAll(/level=fatal msg="((?:[^"\\]|\\.)*)"/g)];
  const last = messages.at(-1)?.[1];
  return last === undefined ? text.trim() : last.replaceAll('\\"', '"');
}
