// The packed package in the tools that people have: installed from the tarball, bundled, run. Each
// of them must print the same hash. Usage: node matrix.mjs TARBALL

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

const HASH = '8431c8b9aa2a702e00e3645e8ee1248e3b7fed355f2ada880c83be2b5717c460';
const NODE = `{ generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: 'a lighthouse' }`;
const CALL = `fingerprint(${NODE}, { providerId: 'local' }).request_hash`;
const CSP = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'";
const home = new URL('.', import.meta.url).pathname;
const bin = (name) => join(home, 'node_modules/.bin', name);
const page = '<!doctype html><title>waiting</title><script type="module" src="./entry.js"></script>';

execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', process.argv[2]], { cwd: home, stdio: 'inherit' });

/** A folder with these files. */
function folder(name, files) {
  const path = join(home, 'work', name);
  rmSync(path, { recursive: true, force: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

const run = (program, args, cwd, more = {}) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...more } });

let browser;

/** The title that a page gives itself; its files come with a strict policy. */
async function title(path, csp = CSP) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const file = join(path, normalize(pathname === '/' ? '/index.html' : pathname));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const types = { '.js': 'text/javascript', '.html': 'text/html', '.css': 'text/css', '.wasm': 'application/wasm' };
    const headers = { 'content-type': types[extname(file)] ?? 'text/plain' };
    if (csp) headers['content-security-policy'] = csp;
    response.writeHead(200, headers).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await titleAt(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.close();
  }
}

async function titleAt(address) {
  browser ??= await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const tab = await browser.newPage();
  try {
    await tab.goto(address);
    await tab.waitForFunction(() => /^[0-9a-f]{64}$/.test(document.title), undefined, { timeout: 30_000 });
    return await tab.title();
  } finally {
    await tab.close();
  }
}

/** Starts a server and gives the first line of it that `find` finds something in. */
async function started(program, args, cwd, find, use, stdio = ['ignore', 'pipe', 'inherit']) {
  const child = spawn(program, args, { cwd, stdio });
  try {
    const lines = createInterface({ input: stdio.length > 3 ? child.stdio[3] : child.stdout });
    for await (const line of lines) {
      const found = find(line.replace(/\x1b\[[0-9;]*m/g, ''));
      if (found) return await use(found);
    }
    throw new Error(`${program} ended`);
  } finally {
    child.kill();
  }
}

const esm = { 'main.mjs': `import { fingerprint } from 'onepath';\nconsole.log(${CALL});\n` };
const entry = { 'entry.js': `import { fingerprint } from 'onepath';\ndocument.title = ${CALL};\n` };

const TOOLS = {
  'Node, import': () => run(process.execPath, ['main.mjs'], folder('import', esm)),
  'Node, require': () => run(process.execPath, ['main.cjs'], folder('require', { 'main.cjs': `console.log(require('onepath').${CALL});` })),
  Deno: () => run(bin('deno'), ['run', '--allow-read', '--node-modules-dir=manual', 'main.mjs'], folder('deno', esm), { DENO_DIR: join(home, 'work/deno-dir') }),
  Bun: () => run(join(home, 'node_modules/bun/bin/bun.exe'), ['run', 'main.mjs'], folder('bun', esm)),
  'esbuild, Chromium with a strict policy': async () => {
    const path = folder('esbuild', { ...entry, 'out/index.html': page });
    run(bin('esbuild'), ['entry.js', '--bundle', '--format=esm', '--outfile=out/entry.js'], path);
    return title(join(path, 'out'));
  },
  'webpack, Chromium with a strict policy': async () => {
    const path = folder('webpack', { ...entry, 'out/index.html': page });
    run(bin('webpack'), ['--mode', 'production', '--entry', './entry.js', '--output-path', 'out', '--output-filename', 'entry.js'], path);
    return title(join(path, 'out'));
  },
  'Vite build, Chromium with a strict policy': async () => {
    const path = folder('vite', { ...entry, 'index.html': page });
    run(bin('vite'), ['build'], path);
    return title(join(path, 'dist'));
  },
  'Vite dev': () => {
    const path = folder('vite-dev', { ...entry, 'index.html': page });
    const find = (line) => line.match(/http:\/\/\S+/)?.[0];
    return started(bin('vite'), ['--host', '127.0.0.1', '--port', '0'], path, find, titleAt);
  },
  'slim with Vite, the module as a file': async () => {
    const path = folder('slim', {
      'entry.js': `import { fingerprint, init } from 'onepath/slim';\nimport address from 'onepath/onepath.wasm?url';\nawait init(address);\ndocument.title = ${CALL};\n`,
      'index.html': page,
      'vite.config.js': "export default { build: { target: 'es2022' } };",
    });
    run(bin('vite'), ['build'], path);
    return title(join(path, 'dist'));
  },
  'Next.js, server and client component': async () => {
    const path = folder('next', {
      'package.json': '{ "private": true }',
      'next.config.mjs': `export default { output: 'export', turbopack: { root: ${JSON.stringify(home)} } };`,
      'app/layout.jsx': 'export default function Layout({ children }) { return <html><body>{children}</body></html>; }',
      'app/page.jsx': `import { fingerprint } from 'onepath';\nimport Title from './title';\nexport default function Page() { return <main id="server">{${CALL}}<Title /></main>; }`,
      'app/title.jsx': `'use client';\nimport { useEffect } from 'react';\nimport { fingerprint } from 'onepath';\nexport default function Title() { useEffect(() => { document.title = ${CALL}; }, []); return null; }`,
    });
    run(bin('next'), ['build'], path);
    if (!readFileSync(join(path, 'out/index.html'), 'utf8').includes(HASH)) throw new Error('the server component has another hash');
    // Its own inline scripts need a looser policy than ours.
    return title(join(path, 'out'), null);
  },
  workerd: () => {
    const path = folder('workerd', {
      'entry.js': `import { fingerprint } from 'onepath';\nexport default { fetch: () => new Response(${CALL}) };\n`,
      'config.capnp': `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .worker)], sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
const worker :Workerd.Worker = (modules = [(name = "main.js", esModule = embed "out/main.js"), (name = "onepath.wasm", wasm = embed "out/onepath.wasm")], compatibilityDate = "2026-01-01");
`,
    });
    run(bin('esbuild'), ['entry.js', '--bundle', '--format=esm', '--conditions=workerd', '--external:*.wasm', '--outfile=out/main.js'], path);
    writeFileSync(join(path, 'out/onepath.wasm'), readFileSync(join(home, 'node_modules/onepath/dist/onepath.wasm')));
    const find = (line) => JSON.parse(line).port;
    const ask = async (port) => (await fetch(`http://127.0.0.1:${port}/`)).text();
    return started(bin('workerd'), ['serve', 'config.capnp', '--control-fd=3'], path, find, ask, ['ignore', 'inherit', 'inherit', 'pipe']);
  },
};

let passed = 0;
let failed = 0;
for (const [name, tool] of Object.entries(TOOLS)) {
  try {
    const found = (await tool()).trim();
    if (found !== HASH) throw new Error(`it gave \`${found}\``);
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${String(error.stderr || error.message).trim().slice(0, 1_500)}`);
  }
}
console.log('not run: React Native, Firefox, Safari');
await browser?.close();
console.log(`test result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed} passed; ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
