/**
 * The architecture test: who may import whom (type imports count), no cycles, no reaching into implementations, and every
 * path that a document names exists. Prints file and function sizes; they are places to look, not limits.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Top folders (core by its parts) and what they may import. `*`: everything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'core/kit': [],
  'core/model': ['core/kit'],
  'core/state': ['core/model', 'core/kit'],
  cni: ['core/kit'],
  scheduler: ['core/kit', 'core/model', 'core/state'],
  overlay: ['cni', 'core/model', 'core/kit'],
  agent: ['overlay', 'cni', 'core/model', 'core/kit'],
  dns: ['core/model', 'core/kit'],
  lb: ['core/model', 'core/kit'],
  api: ['core/kit', 'core/model', 'core/state'],
  ui: ['core/model'],
  cli: ['*'],
  conformance: ['core/kit', 'core/model'],
  bench: [
    'core/kit',
    'core/model',
    'core/state',
    'scheduler',
    'overlay',
    'agent',
    'cni',
    'dns',
    'lb',
    'api',
    'conformance',
  ],
  scripts: [],
};

/** Implementations of seams: only cli/compose/ may choose among them. Tests and contracts of the same folder may use them. */
const implementations = /\/(stores|backends|engines|runtimes)\//;

/** `late`: loaded when needed, or started as a process of its own. */
type Import = { readonly from: string; readonly to: string; readonly late: boolean };

const problems: string[] = [];
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const imports = files.flatMap(importsOf);

checkTable();
checkImplementations();
checkCycles();
checkDocuments();
printSizes();

for (const problem of problems) console.error(`architecture: ${problem}`);
console.log(`architecture: ${files.length} files, ${imports.length} imports, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(from\s+|import\s+|import\s*\(\s*|new URL\(\s*)'(\.{1,2}\/[^']+\.ts)'/g;
  return [...text.matchAll(pattern)].map(([, how = '', path = '']) => ({
    from: file,
    to: normalize(join(dirname(file), path)),
    late: how.includes('('),
  }));
}

/** `core/model/app.ts` → `core/model`; `dns/wire/name.ts` → `dns`. */
function roomOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'core' ? `${top}/${second}` : top;
}

function checkTable(): void {
  for (const { from, to } of imports) {
    const [room, target] = [roomOf(from), roomOf(to)];
    const allowed = mayImport[room];
    if (allowed === undefined) problems.push(`${from}: folder ${room} is not in the import table`);
    else if (room !== target && !allowed.includes('*') && !allowed.includes(target)) {
      const isTestFake = /\.(test|contract|bench)\.ts$|\/testing\//.test(from) && target === 'core/state';
      // The client of the API knows model and kit only; everything else of api may know the state.
      if (!isTestFake)
        problems.push(`${from} imports ${to}: ${room} may import ${allowed.join(', ') || 'nothing'}`);
    }
    if (!existsSync(to)) problems.push(`${from} imports ${to}, which does not exist`);
  }
  const client = imports.filter(
    ({ from, to }) => from === 'api/client.ts' && !/^core\/(kit|model)\//.test(to),
  );
  for (const { to } of client)
    problems.push(`api/client.ts imports ${to}: it may import core/model and core/kit only`);
}

function checkImplementations(): void {
  for (const { from, to } of imports) {
    const implementation = implementations.exec(to);
    if (implementation === null) continue;
    const seam = to.slice(0, implementation.index);
    const isComposer = /^cli\/compose\//.test(from);
    const isNear = from.startsWith(`${seam}/`) && implementations.test(from);
    const isProof = /^(bench|conformance)\/|\.(test|bench|contract)\.ts$|\/testing\//.test(from);
    // A worker process is composed by its own entry file, and facts about a machine come from those who know it.
    const isEntry = /(^|\/)worker\.ts$|-facts\.ts$/.test(from);
    if (!isComposer && !isNear && !isProof && !isEntry)
      problems.push(`${from} imports ${to}: implementations are chosen in cli/compose/ only`);
  }
}

function checkCycles(): void {
  const targets = Map.groupBy(
    imports.filter(({ late }) => !late),
    ({ from }) => from,
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) problems.push(`cycle: ${[...path.slice(start), file].join(' -> ')}`);
    if (start >= 0 || done.has(file)) return;
    for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
}

/** Names in back quotes that look like paths of this repository must be paths of it. */
function checkDocuments(): void {
  const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));
  const tops = Object.keys(mayImport).map((room) => room.split('/')[0]!);
  const roots = [...new Set([...tops, 'docs', 'examples'])];
  for (const document of documents) {
    const text = readFileSync(document, 'utf8');
    for (const [, name = ''] of text.matchAll(/`([a-z][\w./-]*\/[\w./-]*)`/g)) {
      if (!roots.includes(name.split('/')[0]!) || name.includes('...')) continue;
      const found = [
        name,
        `${name}.ts`,
        join(dirname(document), name),
        `${join(dirname(document), name)}.ts`,
      ].some((path) => existsSync(path));
      if (!found) problems.push(`${document} names ${name}, which does not exist`);
    }
    for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      if (!existsSync(join(dirname(document), link)))
        problems.push(`${document} links to ${link}, which does not exist`);
    }
  }
}

function printSizes(): void {
  const sources = files.filter((file) => !/\.(test|contract|bench)\.ts$|\/testing\//.test(file));
  const sizes = sources.map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }));
  sizes.sort((a, b) => b.lines - a.lines);
  const median = sizes[Math.floor(sizes.length / 2)]?.lines ?? 0;
  console.log(`sizes: ${sizes.length} source files, median ${median} lines; longest:`);
  for (const { file, lines } of sizes.slice(0, 8)) console.log(`  ${String(lines).padStart(4)} ${file}`);
}
