// ui/build.mjs - checks the types, bundles the pages, and writes them as C files to link into pprof.
// usage: node build.mjs OUT_FOLDER [DEPFILE]
// Room: what becomes which asset. A page is an entry of `pages`: its script NAME/main.ts, its style NAME/NAME.css and its
// NAME/NAME.html become /assets/NAME.js, /assets/NAME.css and the page's own text NAME.html. What a page imports with
// import() becomes a chunk of its own, loaded when asked for.
// OUT_FOLDER/ui_assets.c holds the table behind src/web/assets.h, OUT_FOLDER/flame_page.c the page that
// `pprof -flamegraph` fills in (src/render/flame_page.h). Bytes enter through the assembler's .incbin.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { tableFiles, writeTables } from './tables.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? 'out');
const depfile = process.argv[3];
const pages = ['profile', 'trace'];
const types = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: 'es2022',
  format: 'esm',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
};

function checkTypes() {
  return new Promise((done, fail) => {
    const tsc = spawn(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', here], { stdio: 'inherit' });
    tsc.on('exit', (code) => (code === 0 ? done() : fail(new Error('the types do not check'))));
  });
}

// Every page's scripts, styles and chunks: path in /assets/ -> bytes.
async function bundlePages() {
  const made = await build({
    ...options,
    outdir: out,
    splitting: true,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    entryPoints: [
      ...pages.map((page) => ({ in: `${page}/main.ts`, out: page })),
      ...pages.map((page) => ({ in: `${page}/${page}.css`, out: page })),
    ],
  });
  const worker = await build({ ...options, outdir: out, entryPoints: [{ in: 'profile/graph_worker.ts', out: 'graph_worker' }] });
  const files = new Map();
  for (const file of [...made.outputFiles, ...worker.outputFiles]) files.set(`/assets/${relative(out, file.path)}`, file.contents);
  return { files, metafile: made.metafile };
}

// A page's own text: what it will need at once is named in its head, so that nothing waits for a script to ask.
function pageText(page, metafile) {
  const outputs = Object.entries(metafile.outputs);
  const [, entry] = outputs.find(([, o]) => o.entryPoint === `${page}/main.ts`);
  const preloads = entry.imports
    .filter((i) => i.kind === 'import-statement')
    .map((i) => `<link rel="modulepreload" href="/assets/${i.path.split('/').pop()}">`);
  return readFileSync(join(here, page, `${page}.html`), 'utf8').replace('<!--preload-->', preloads.join(''));
}

// One file that opens from anywhere: script and style inside, the data where DATA_MARK stands.
async function standalonePage() {
  const made = await build({
    ...options,
    format: 'iife',
    outdir: out,
    entryPoints: [
      { in: 'profile/standalone.ts', out: 'standalone' },
      { in: 'profile/standalone.css', out: 'standalone' },
    ],
  });
  const text = (ext) => made.outputFiles.find((f) => f.path.endsWith(ext)).text;
  return readFileSync(join(here, 'profile/standalone.html'), 'utf8')
    .replace('/*style*/', () => text('.css'))
    .replace('/*script*/', () => text('.js').replaceAll('</script', '<\\/script'));
}

const cString = (s) => `"${s.replace(/[\\"]/g, '\\$&')}"`;

function incbin(symbol, path) {
  return `__asm__(".pushsection .rodata.ui, \\"a\\", %progbits\\n"
        ".globl ${symbol}\\n${symbol}:\\n.incbin \\"${path}\\"\\n.byte 0\\n.popsection\\n");
extern const char ${symbol}[];
`;
}

function writeAssets(files) {
  const declarations = [];
  const rows = [];
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const packed = gzipSync(bytes, { level: 9 });
    const file = join(out, 'gz', `${path.replaceAll('/', '_')}.gz`);
    writeFileSync(file, packed);
    const symbol = `ui_asset_${rows.length}`;
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    declarations.push(incbin(symbol, file));
    rows.push(`    {S(${cString(path)}), S(${cString(types[extname(path)])}), S("\\"${etag}\\""), {${symbol}, ${packed.length}}},`);
  }
  writeFileSync(
    join(out, 'ui_assets.c'),
    `// ui_assets.c - made by ui/build.mjs: the web pages, gzip'd.\n#include "web/assets.h"\n\n${declarations.join('')}
const struct asset assets[] = {\n${rows.join('\n')}\n};\nconst size_t n_assets = countof(assets);\n`,
  );
}

function writeFlamePage(text) {
  const file = join(out, 'gz', 'flame_page.gz');
  const packed = gzipSync(text, { level: 9 });
  writeFileSync(file, packed);
  writeFileSync(
    join(out, 'flame_page.c'),
    `// flame_page.c - made by ui/build.mjs: the page around a flame graph, gzip'd.\n#include "render/flame_page.h"\n
${incbin('ui_flame_page', file)}\nconst str flame_page_packed = {ui_flame_page, ${packed.length}};\n`,
  );
}

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'generated' || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : [path];
  });
}

async function main() {
  rmSync(join(out, 'gz'), { recursive: true, force: true });
  mkdirSync(join(out, 'gz'), { recursive: true });
  writeTables(join(here, '../src'), join(here, 'generated/tables.ts'));
  const [{ files, metafile }, standalone] = await Promise.all([bundlePages(), standalonePage(), checkTypes()]);
  for (const page of pages) files.set(`/${page}.html`, Buffer.from(pageText(page, metafile)));
  writeAssets(files);
  writeFlamePage(standalone);
  if (depfile) writeFileSync(depfile, `${join(out, 'ui_assets.c')}: ${[...sources(here), ...tableFiles(join(here, '../src'))].join(' ')}\n`);
}

if (!existsSync(join(here, 'node_modules/esbuild'))) {
  console.error('ui/node_modules is not there: run `make deps`');
  process.exit(1);
}
main().catch((error) => {
  console.error(error.message ?? error);
  process.exit(1);
});
