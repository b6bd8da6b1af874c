/** What an image says about running it (OCI image-spec config.md). */
export type ImageConfig = {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly user: string;
  readonly cwd: string;
};

/** The digest of the manifest a layout's index.json holds under a name. */
export function manifestDigest(indexJson: string, name: string): string | undefined {
  const manifests = listIn(JSON.parse(indexJson), 'manifests');
  const found = manifests.find(
    (manifest) => textIn(fieldOf(manifest, 'annotations'), 'org.opencontainers.image.ref.name') === name,
  );
  return textIn(found, 'digest');
}

/** The digest of the configuration a manifest names. */
export function configDigest(manifestJson: string): string | undefined {
  return textIn(fieldOf(JSON.parse(manifestJson), 'config'), 'digest');
}

export function parseImageConfig(configJson: string): ImageConfig {
  const config = fieldOf(JSON.parse(configJson), 'config');
  return {
    entrypoint: textsIn(config, 'Entrypoint'),
    cmd: textsIn(config, 'Cmd'),
    env: textsIn(config, 'Env'),
    user: textIn(config, 'User') ?? '',
    cwd: textIn(config, 'WorkingDir') ?? '',
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textIn(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === 'string' ? field : undefined;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const field = fieldOf(value, name);
  return Array.isArray(field) ? field : [];
}

function textsIn(value: unknown, name: string): readonly string[] {
  return listIn(value, name).filter((item) => typeof item === 'string');
}
