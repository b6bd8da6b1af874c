// Makes package-lock.json anew from package.json: `npm run lock`, after a dependency was added or changed.
// A registry that lacks the packages of some platforms makes npm leave them out of the lockfile, and `npm ci` then refuses it;
// their entries are added here, without a checksum, since they are never installed where they could not be fetched.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Entry = {
  readonly version?: string;
  readonly resolved?: string;
  readonly dev?: true;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Lock = { readonly packages: Readonly<Record<string, Entry>> };

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'weir-lock-'));
try {
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(root, file), join(scratch, file));
  execFileSync('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], {
    cwd: scratch,
    stdio: 'inherit',
  });
  const made = JSON.parse(readFileSync(join(scratch, 'package-lock.json'), 'utf8')) as Lock;
  writeFileSync(
    join(root, 'package-lock.json'),
    `${JSON.stringify({ ...made, packages: complete(made.packages) }, null, 2)}\n`,
  );
} finally {
  rmSync(scratch, { recursive: true });
}

function complete(packages: Lock['packages']): Lock['packages'] {
  const present = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
  const absent: Record<string, Entry> = {};
  for (const entry of Object.values(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!present.has(name))
        absent[`node_modules/${name}`] = platformEntry(name, version, entry.dev === true);
    }
  }
  const all = Object.entries({ ...packages, ...absent }).sort(([a], [b]) => (a < b ? -1 : 1));
  // Where a package came from is this machine's business: the checksum says what it is.
  return Object.fromEntries(all.map(([path, { resolved: _, ...entry }]) => [path, entry]));
}

/** The entry of a package whose name ends in its platform, as npm's own build tools name them: `binding-linux-x64-musl`. */
function platformEntry(name: string, version: string, dev: boolean): Entry & Record<string, unknown> {
  const words = name.split(/[-/]/);
  const os = [
    'aix',
    'android',
    'darwin',
    'freebsd',
    'linux',
    'netbsd',
    'openbsd',
    'openharmony',
    'sunos',
    'win32',
  ].find((one) => words.includes(one));
  const cpu = [
    'arm64',
    'arm',
    'x64',
    'ia32',
    'ppc64',
    'riscv64',
    's390x',
    'loong64',
    'mips64el',
    'wasm32',
  ].find((one) => words.includes(one));
  const libc = name.includes('musl')
    ? ['musl']
    : name.includes('gnu') && os === 'linux'
      ? ['glibc']
      : undefined;
  if (cpu === undefined)
    throw new Error(`Cannot complete the lockfile: ${name} is missing and its name says no platform`);
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev: true }),
    ...(libc && { libc }),
    optional: true,
    ...(os !== undefined && { os: [os] }),
  };
}
