// What the tests of the editor stand on: a server on a free port, the command, and a browser.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

const root = process.env.ONEPATH_ROOT ?? new URL('../../..', import.meta.url).pathname;
const onepath = join(root, 'target/debug/onepath');

export const scene = (name) => join(root, 'examples/scenes', name);
export const text = (name) => readFileSync(scene(name), 'utf8');

/** A fake of Replicate: its address, and how to end it. */
export async function replicate() {
  const child = spawn(onepath, ['fake', 'replicate'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await said.next();
  if (!value?.startsWith('fake replicate ')) throw new Error(`the fake said ${value}`);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { address: value.slice('fake replicate '.length), stop };
}

/** A server with an empty folder, which allows no more than `romantic`. */
export async function serve(env = {}) {
  const data = mkdtempSync(join(tmpdir(), 'onepath-editor-'));
  const args = ['serve', '--dev', '--dev-bounds', 'romantic,romantic', '--listen', '127.0.0.1:0', '--data', data];
  const child = spawn(onepath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ONEPATH_LOG: 'error', ...env } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const after = async (word) => {
    const { value } = await said.next();
    if (!value?.startsWith(word)) throw new Error(`the server said ${value}`);
    return value.slice(word.length);
  };
  const address = await after('onepath serves ');
  const key = await after('key ');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(data, { recursive: true });
  };
  const ask = async (path) => (await fetch(`${address}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } })).json();
  return { address, key, ask, stop };
}

export function browser() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

const folder = mkdtempSync(join(tmpdir(), 'onepath-editor-files-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

/** What the command prints about a file, whatever its exit code says. */
function printed(text, args) {
  const file = join(folder, 'file.json');
  writeFileSync(file, text);
  try {
    return execFileSync(onepath, [...args, file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    if (error.status !== 1) throw error;
    return error.stdout;
  }
}

/** The value that it prints. */
export const command = (text, ...args) => JSON.parse(printed(text, args));

/** The values that it prints, a line each. */
export const lines = (text, ...args) => printed(text, args).trimEnd().split('\n').map((line) => JSON.parse(line));

/** Codes and pointers of `onepath check`. */
export function checked(text, ...args) {
  return command(text, 'check', ...args, '--output-format', 'json').map(({ code, pointer }) => `${code} ${pointer}`).sort();
}

/** A JSON file for a flag of the command. */
export function beside(name, value) {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
}

/** One page of the editor with the files in it, and what it complains about. */
export class Desk {
  constructor(page, server) {
    this.page = page;
    this.server = server;
    this.complaints = [];
    // An answer that is an error is shown in the page; the browser's own line about it says no more.
    page.on('console', (message) => message.type() === 'error' && !message.text().startsWith('Failed to load resource') && this.complaints.push(message.text()));
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  async go(key = this.server.key) {
    await this.page.goto(`${this.server.address}/${key ? `#key=${key}` : ''}`);
    if (key === this.server.key) await this.page.waitForSelector('.server.ready');
  }

  async open(...files) {
    const given = files.map((file) => (typeof file === 'string' ? file : { name: file.name, mimeType: 'application/json', buffer: Buffer.from(file.text) }));
    await this.page.setInputFiles('input[type=file]', given);
  }

  async openScene(name = 'lighthouse.json') {
    await this.open(scene(name));
    await this.page.waitForSelector('.card.node');
  }

  async select(node) {
    await this.page.click(`[data-node="${node}"]`);
    await this.page.waitForFunction((node) => document.querySelector('.inspector h2')?.textContent === node, node);
  }

  /** Codes and pointers of the findings of the file. */
  async findings() {
    const found = await this.page.$$eval('.findings li', (all) => all.map(({ dataset }) => `${dataset.code} ${dataset.pointer}`));
    return found.sort();
  }

  state(node) {
    return this.page.getAttribute(`[data-node="${node}"]`, 'data-state');
  }

  value(name) {
    return this.page.textContent(`[data-value="${name}"]`);
  }

  /** The bytes that Save hands over. */
  async saved() {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.page.keyboard.press('Control+s')]);
    return readFileSync(await download.path(), 'utf8');
  }

  async run() {
    await this.page.click('button.primary');
    await this.page.waitForSelector('.generation[data-status=completed] .picture');
  }
}
