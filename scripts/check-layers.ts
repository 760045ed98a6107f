/**
 * Fails when an import points upwards. The folders of src/ are layers: a file may import its own layer
 * and those that LAYERS names for it, types included. Nor may files import each other in a circle, but
 * for types, whose imports are gone when the program runs.
 *
 *     node --import tsx scripts/check-layers.ts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

/** What each layer of the library may import beside itself. */
const LIBRARY: Readonly<Record<string, readonly string[]>> = {
  datatype: [],
  protocol: ['datatype'],
  wire: ['datatype'],
  rtnetlink: ['datatype', 'wire'],
  bytecode: ['datatype', 'wire'],
  message: ['datatype', 'wire', 'bytecode'],
  model: ['datatype', 'protocol'],
  linearize: ['datatype', 'protocol', 'model', 'bytecode'],
  delinearize: ['datatype', 'protocol', 'wire', 'bytecode', 'message', 'model'],
  format: ['datatype', 'protocol', 'model', 'bytecode', 'linearize'],
  transaction: 'datatype protocol wire bytecode message model linearize format'.split(' '),
  netlink:
    'datatype protocol wire rtnetlink bytecode message model linearize delinearize format transaction'.split(
      ' ',
    ),
  ruleset: 'datatype protocol wire bytecode message model linearize delinearize transaction netlink'.split(
    ' ',
  ),
};

/** The same for all of src/; `index` is src/index.ts, the public API. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  ...LIBRARY,
  index: Object.keys(LIBRARY),
  testing: 'datatype protocol wire bytecode message transaction netlink'.split(' '),
  uncloud: ['index'],
  cli: ['index', 'uncloud'],
};

/** Who may import what beside Node's own modules: a layer, or one file. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@xmldom/xmldom': ['uncloud'],
};

/** Files that their own layer alone may import. */
const PRIVATE = ['netlink/native.ts'];

/**
 * Checks a directory that is laid out as src/.
 *
 * @returns a sentence for every violation, none when all is well
 */
export function checkLayers(directory: string): string[] {
  const sources = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => ({ file, source: readFileSync(join(directory, file), 'utf8') }));
  const atRun = new Map(sources.map(({ file, source }) => [file, importsOf(file, withoutTypes(source))]));
  return [
    ...sources.flatMap(({ file, source }) =>
      [...new Set([...importsOf(file, source), ...packagesNamedIn(source)])].flatMap((target) =>
        refusal(file, target),
      ),
    ),
    ...cycles(atRun),
  ];
}

/** What a file imports: files as paths from the directory, packages as they are named. */
function importsOf(file: string, source: string): string[] {
  return ts
    .preProcessFile(source, true, true)
    .importedFiles.map(({ fileName }) =>
      fileName.startsWith('.') ? posix.join(posix.dirname(file), fileName) : fileName,
    );
}

/** Packages that are named in a string, whatever becomes of it: `require` of one is no import. */
function packagesNamedIn(source: string): string[] {
  return Object.keys(PACKAGES).filter((name) => source.includes(`'${name}'`));
}

function withoutTypes(source: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

/** The folder of a file, or the name of one that lies in src/ itself. */
function layerOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : posix.basename(file, '.ts');
}

function refusal(file: string, target: string): string[] {
  const layer = layerOf(file);
  const allowed = LAYERS[layer];
  if (allowed === undefined) return [`${file}: no layer is called ${layer}`];
  if (target.startsWith('node:')) return [];
  if (!target.endsWith('.ts')) {
    const users = PACKAGES[target] ?? [];
    return users.includes(file) || users.includes(layer)
      ? []
      : [`${file} may not import the package ${target}`];
  }
  const below = layerOf(target);
  if (below === layer) return [];
  if (!allowed.includes(below)) return [`${file} imports ${target}: ${layer} may not import ${below}`];
  return PRIVATE.includes(target) ? [`${file} imports ${target}, which is for ${below} alone`] : [];
}

/** Circles of files, each told once, beginning where the search came upon it. */
function cycles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const start = path.indexOf(file);
    if (start >= 0) found.push(`a circle of imports: ${[...path.slice(start), file].join(' -> ')}`);
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of imports.keys()) visit(file);
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const violations = checkLayers(fileURLToPath(new URL('../src', import.meta.url)));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
