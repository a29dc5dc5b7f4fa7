// Makes clients of openapi.json with the generators that people have, compiles them under `strict`,
// and has each speak to a real server. Usage: node clients.mjs ROOT

import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [root] = process.argv.slice(2);
const home = dirname(fileURLToPath(import.meta.url));
const bin = (name) => join(home, 'node_modules/.bin', name);
const run = (name, ...args) => {
  try {
    execFileSync(bin(name), args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${name}: ${error.stdout}${error.stderr}`);
  }
};

rmSync(join(home, 'made'), { recursive: true, force: true });
mkdirSync(join(home, 'made'));
copyFileSync(join(root, 'schemas/openapi.json'), join(home, 'made/openapi.json'));
run('openapi-typescript', 'made/openapi.json', '-o', 'made/types.ts');
run('openapi-ts', '-i', './made/openapi.json', '-o', 'made/hey', '-c', '@hey-api/client-fetch');
run('orval', '--input', 'made/openapi.json', '--output', 'made/orval.ts', '--client', 'fetch');
run('tsc', '--project', 'tsconfig.json');
console.log('ok      three clients are made, and compile under strict');
run('esbuild', 'round.ts', '--bundle', '--platform=node', '--format=esm', '--outfile=made/round.mjs');

const folder = mkdtempSync(join(tmpdir(), 'onepath-clients-'));
const server = spawn(join(root, 'target/debug/onepath'), ['serve', '--dev', '--listen', '127.0.0.1:0', '--data', folder], {
  env: { ...process.env, ONEPATH_DEV_KEY: 'test-key' },
  stdio: ['ignore', 'pipe', 'ignore'],
});
const address = await new Promise((resolve, reject) => {
  let said = '';
  server.stdout.on('data', (chunk) => {
    said += chunk;
    const found = /onepath serves (\S+)\nkey /.exec(said);
    if (found) resolve(found[1]);
  });
  server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
});
let [passed, failed] = [0, 1];
try {
  const { run: round } = await import(pathToFileURL(join(home, 'made/round.mjs')).href);
  [passed, failed] = await round(address, 'test-key');
} finally {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true });
}
console.log(`test result: ${failed === 0 ? 'ok' : 'FAILED'}. ${passed + 1} passed; ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
