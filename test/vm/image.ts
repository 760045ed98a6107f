import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import ts from 'typescript';
import { vectorsDirectory } from '../support/requirements.ts';
import { CpioWriter } from './cpio.ts';

/** Where the repository lies in the guest. */
export const GUEST_ROOT = '/nftjs';

const PROGRAMS = [
  'nft',
  'ip',
  'bridge',
  'unshare',
  'nsenter',
  'setpriv',
  'modprobe',
  'bash',
  'dash',
  'busybox',
];
const ADDONS = ['build/Release/nftjs.node', 'native/frames/build/Release/frames.node'];
/** Names of users, protocols, services, routing tables: what nft and ip print depends on them. */
const SETTINGS = ['/etc/passwd', '/etc/group', '/etc/protocols', '/etc/services', '/etc/iproute2'];
const SOURCES = ['src', 'test', 'examples', 'scripts', 'bench', 'dist', 'native/generated', 'package.json'];
const PACKAGES = [
  ...['@xmldom/xmldom', 'ipaddr.js', 'node-addon-api', 'fast-check', 'pure-rand'],
  ...['tsx', 'esbuild', `@esbuild/linux-${process.arch}`],
];

/**
 * Takes the place of tsx's main entry in the guest, whose TypeScript was stripped beforehand: emulation is
 * slow, and the command lines that say `--import tsx` stay the same.
 */
const LOADER = `export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { readFile } = await import('node:fs/promises');
  return { format: 'module', source: await readFile(new URL(url)), shortCircuit: true };
}
`;
const REGISTER = `import { register } from 'node:module';
register('./loader.js', import.meta.url);
`;

/** Writes the guest's root filesystem: Node, nft, ip, the kernel's modules, and the built project. */
export function writeImage(path: string, root: string, kernel: string, script: string): void {
  const image = new CpioWriter(path);
  try {
    image.directory('usr');
    for (const directory of ['bin', 'lib', 'lib64']) image.symlink(directory, `usr/${directory}`);
    for (const path of ['sbin', 'usr/sbin']) image.symlink(path, '/usr/bin');
    image.symlink('usr/bin/sh', 'dash');
    for (const directory of ['usr/busybox', 'usr/lib64', 'dev', 'proc', 'sys', 'run', 'tmp', 'root'])
      image.directory(directory);
    image.symlink('var/run', '/run');
    image.file('etc/hosts', '127.0.0.1 localhost\n');
    image.file(
      'etc/nsswitch.conf',
      'passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n',
    );
    image.copy('init', join(root, 'test/vm/guest/init'));
    image.file('start', script, 0o755);

    const addons = ADDONS.map((addon) => join(root, addon));
    for (const addon of ADDONS) image.copy(inGuest(addon), join(root, addon));
    const programs = PROGRAMS.map(which);
    for (const program of programs) image.copy(`usr/bin/${nameOf(program)}`, program);
    image.copy('usr/bin/node', process.execPath);
    for (const library of librariesOf([process.execPath, ...programs, ...addons])) {
      image.copy(library.replace(/^\/(usr\/)?/, 'usr/'), library);
    }
    for (const setting of SETTINGS) copyTree(image, setting.slice(1), setting);
    copyTree(image, 'usr/lib/modules', join(kernel, 'lib/modules'));

    for (const source of SOURCES) copyTree(image, inGuest(source), join(root, source));
    for (const name of PACKAGES)
      copyTree(image, inGuest(`node_modules/${name}`), join(root, 'node_modules', name));
    const tsx = JSON.parse(readFileSync(join(root, 'node_modules/tsx/package.json'), 'utf8'));
    tsx.exports['.'] = './register.js';
    image.file(inGuest('node_modules/tsx/package.json'), JSON.stringify(tsx));
    image.file(inGuest('node_modules/tsx/register.js'), REGISTER);
    image.file(inGuest('node_modules/tsx/loader.js'), LOADER);
    copyTree(image, 'vectors', vectorsDirectory);
  } finally {
    image.close();
  }
}

function inGuest(path: string): string {
  return join(GUEST_ROOT, path).slice(1);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function which(program: string): string {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    const path = join(directory, program);
    if (existsSync(path)) return path;
  }
  throw new Error(`no ${program} on this machine: run scripts/setup vm`);
}

/** The shared libraries that the programs load, and the loader, by the paths that they are asked for. */
function librariesOf(programs: string[]): Set<string> {
  const libraries = new Set<string>();
  for (const program of programs) {
    // A static program makes ldd fail, and has none.
    let listing: string;
    try {
      listing = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      continue;
    }
    for (const [, path] of listing.matchAll(/(\/\S+) \(0x/g)) libraries.add(path!);
  }
  return libraries;
}

/** A file, or a directory with all that is in it. What does not exist is left out; TypeScript is stripped of types. */
function copyTree(image: CpioWriter, path: string, source: string): void {
  if (!existsSync(source)) return;
  const real = realpathSync(source);
  if (statSync(real).isDirectory()) {
    image.directory(path);
    for (const name of readdirSync(real)) copyTree(image, `${path}/${name}`, join(real, name));
  } else if (/(?<!\.d)\.ts$/.test(source) && !source.includes('/node_modules/')) {
    image.file(path, stripTypes(real));
  } else {
    image.file(path, readFileSync(real), statSync(real).mode & 0o777);
  }
}

function stripTypes(path: string): string {
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
    fileName: relative(process.cwd(), path),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  return outputText;
}
