// The editor in Chromium, served by `onepath serve` as it is built.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { Document, explain } from 'onepath';
import { createClient } from 'onepath/client';

import { beside, browser, checked, command, Desk, lines, replicate, scene, serve, text } from './desk.mjs';

let chrome;
let server;
let context;
let page;
let desk;

before(async () => {
  [server, chrome] = await Promise.all([serve(), browser()]);
});

after(async () => {
  await chrome?.close();
  await server?.stop();
});

beforeEach(async () => {
  context = await chrome.newContext({ viewport: { width: 1500, height: 900 }, acceptDownloads: true });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  desk = new Desk(page, server);
});

afterEach(async () => {
  // A violation of the policy would be among them.
  assert.deepEqual(desk.complaints, []);
  await context.close();
});

test('the page comes under a strict policy, and the key leaves the address', async () => {
  const answer = await fetch(`${server.address}/`);
  const policy = answer.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|data:|\*/);
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
  const asset = /src="(\/editor\/assets\/[^"]+)"/.exec(await answer.text())[1];
  assert.match((await fetch(server.address + asset)).headers.get('cache-control'), /immutable/);
  assert.equal((await fetch(`${server.address}/editor/nothing.js`)).status, 404);
  await desk.go();
  assert.equal(new URL(page.url()).hash, '');
  await page.reload();
  await page.waitForSelector('.server.ready');
});

test('a broken field shows its finding at the field and on the node, the fix mends it, and only the edit is saved', async () => {
  await desk.go();
  await desk.openScene();
  await desk.select('noor-by-the-stove');
  assert.equal(await desk.state('noor-by-the-stove'), 'ok');
  await page.fill('#field_duration_target', '99');
  const field = page.locator('[data-pointer="/nodes/4/config/duration/target"].field');
  await field.locator('[data-code="duration/target-above-max"]').waitFor();
  assert.match(await field.textContent(), /move the target into the range/);
  assert.equal(await page.getAttribute('#field_duration_target', 'aria-invalid'), 'true');
  assert.equal(await desk.state('noor-by-the-stove'), 'error');
  assert.match(await page.getAttribute('.react-flow__node:has([data-node="noor-by-the-stove"])', 'aria-label'), /1 findings, error/);
  await page.keyboard.press('Control+z');
  assert.equal(await desk.state('noor-by-the-stove'), 'ok');

  await page.click('#tab-json');
  const json = page.getByLabel('JSON of noor-by-the-stove');
  await json.fill((await json.inputValue()).replace('"per_playthrough"', '"per_playthru"'));
  await page.waitForSelector('.gutter .line.error');
  assert.equal(await desk.state('noor-by-the-stove'), 'error');
  await page.click('#tab-form');
  assert.equal(await page.inputValue('#field_strategy'), 'per_playthru');
  await page.click('.field:has(#field_strategy) button.fix');
  assert.equal(await desk.state('noor-by-the-stove'), 'ok');
  assert.equal(await page.inputValue('#field_strategy'), 'per_playthrough');
  assert.equal(await page.isDisabled('text=Save'), true);

  await page.fill('#field_duration_target', '17');
  assert.equal(await desk.saved(), text('lighthouse.json').replace('"max": 24, "target": 16', '"max": 24, "target": 17'));
  assert.equal(await page.isDisabled('text=Save'), true);
});

test('a file that the browser lets a page write is written back in place, byte for byte but for the edit', async () => {
  const before = `\uFEFF${text('harbor.json').replaceAll('\n', '\r\n')}`;
  // The origin's own file system gives the same handles as the dialog, which nobody can click here.
  await page.addInitScript((before) => {
    window.showOpenFilePicker = async () => {
      const folder = await navigator.storage.getDirectory();
      const handle = await folder.getFileHandle('harbor.json', { create: true });
      if ((await handle.getFile()).size === 0) {
        const stream = await handle.createWritable();
        await stream.write(before);
        await stream.close();
      }
      return [handle];
    };
  }, before);
  await desk.go();
  await page.click('main button.primary');
  await desk.select('skaerhavn-postcard');
  await page.fill('#field_prompt', 'a ferry');
  await page.fill('#field_prompt', 'a ferry at dawn');
  await page.keyboard.press('Control+s');
  await page.waitForSelector('.notice:has-text("is saved")');
  const after = await page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const file = await (await folder.getFileHandle('harbor.json')).getFile();
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await file.arrayBuffer());
  });
  const prompt = JSON.parse(text('harbor.json')).nodes[0].config.prompt;
  assert.equal(after, before.replace(JSON.stringify(prompt), '"a ferry at dawn"'));
});

test('a run sends the built request with its hash and never the config; its picture is seen, and remembered beside the file', async () => {
  await desk.go();
  await desk.openScene();
  await desk.select('letter-on-the-sill');
  await page.waitForSelector('.ahead[data-answer=created]');
  assert.match(await page.textContent('.ahead'), /Will be paid for: \$0\.00/);
  assert.match(await page.textContent('.ahead'), /allows romantic for the world and romantic for the user/);
  const [sent, listened] = await Promise.all([
    page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/generations')),
    page.waitForRequest((request) => request.url().includes('/generations/events')),
    desk.run(),
  ]);
  const document = new Document(text('lighthouse.json'), { providerId: 'local' });
  assert.deepEqual(sent.postDataJSON(), {
    request: document.request('letter-on-the-sill'),
    request_hash: document.fingerprint('letter-on-the-sill').request_hash,
  });
  assert.equal(listened.headers()['accept'], 'text/event-stream');
  await page.waitForFunction(() => document.querySelector('.picture')?.naturalWidth > 0);
  await page.waitForFunction(() => document.querySelector('.card.node.selected img')?.naturalWidth > 0);
  await page.waitForSelector('.ahead[data-answer=cache]');
  assert.match(await page.textContent('.ahead'), /Made already/);
  assert.equal(await page.isDisabled('text=Save'), true);

  await page.reload();
  await page.waitForSelector('.server.ready');
  await desk.openScene();
  await desk.select('letter-on-the-sill');
  await page.waitForSelector('.generation[data-status=completed] .picture');
  // Another file knows nothing of it.
  await desk.open({ name: 'copy.json', text: text('lighthouse.json') });
  await desk.select('letter-on-the-sill');
  await page.waitForSelector('text=Nothing was generated for this node yet.');
});

test('a node is run by Replicate, and its picture is seen', async () => {
  const fake = await replicate();
  const real = await serve({ REPLICATE_API_TOKEN: 'r8_none', REPLICATE_API_URL: fake.address });
  try {
    const there = new Desk(page, real);
    await there.go();
    await page.selectOption('#provider', 'replicate');
    const lamp = { generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: 'a lamp that turns', fallback: { mode: 'skip' } };
    await there.open({ name: 'lamp.json', text: JSON.stringify(lamp) });
    await page.waitForSelector('.ahead[data-answer=created]');
    await page.click('button.primary');
    await page.waitForFunction(() => document.querySelector('.picture')?.naturalWidth === 96);
    const { generations } = await real.ask('/generations');
    assert.deepEqual(generations.map(({ provider_id, status }) => [provider_id, status]), [['replicate', 'completed']]);
    const charges = await (await fetch(new URL('/_fake/charges', fake.address))).json();
    assert.deepEqual(charges.map(({ prediction }) => prediction), [generations[0].predictionId]);
    assert.deepEqual(there.complaints, []);
  } finally {
    await real.stop();
    await fake.stop();
  }
});

test('sec_s13 what somebody wrote is text in the editor and in /docs, whatever it says', async () => {
  const hostile = [
    '<img src=x onerror="window.broken=1">', '<script>window.broken=1</script>', '"><svg onload=window.broken=1>',
    "javascript:window.broken=1//'", '{{constructor.constructor("window.broken=1")()}}', '</textarea><iframe srcdoc="<script>top.broken=1</script>">',
  ];
  const scenes = [{ id: 'a', mood: hostile[0], summary: hostile[1], location: hostile[2] }];
  const nodes = hostile.map((prompt, index) => ({
    id: `node ${index} ${prompt}`, toScene: 'a',
    config: { generationType: 'text_to_image', purpose: prompt, strategy: 'once', prompt, fallback: { mode: 'skip' } },
  }));
  await desk.go();
  await desk.open({ name: `${hostile[0].replaceAll('/', '')}.json`, text: JSON.stringify({ scenes, nodes }) });
  await page.waitForSelector('.card.node');
  for (const { id } of nodes) {
    await page.evaluate((id) => [...document.querySelectorAll('[data-node]')].find(({ dataset }) => dataset.node === id).click(), id);
    await page.waitForFunction((id) => document.querySelector('.inspector h2')?.textContent === id, id);
  }
  const words = await page.evaluate(() => document.body.textContent);
  for (const one of hostile) assert.ok(words.includes(one), one);
  // What was made and named so, as the server tells it.
  const api = async (method, path, body) => (await fetch(`${server.address}/api/v1${path}`, {
    method, body: JSON.stringify(body), headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
  })).json();
  const config = { generationType: 'text_to_image', purpose: 'ambient', strategy: 'always', prompt: hostile[1], style: { local: { width: 64, height: 48 } }, fallback: { mode: 'skip' } };
  for (const name of hostile) assert.ok((await api('POST', '/generations', { config, provider_id: 'local', name, description: name })).id);
  await page.goto(`${server.address}/docs#listGenerations`);
  await page.fill('#key', server.key);
  const list = page.locator('#listGenerations');
  await list.locator('summary', { hasText: 'Try it' }).click();
  await list.getByRole('button', { name: 'Send' }).click();
  await page.waitForFunction(() => document.querySelector('#listGenerations pre:last-of-type')?.textContent.includes('generations'));
  const shown = await list.textContent();
  for (const one of hostile) assert.ok(shown.includes(JSON.stringify(one).slice(1, -1)), one);
  // An error that repeats what was sent.
  const input = list.locator('input[name=status]');
  await input.fill(hostile[0]);
  await list.getByRole('button', { name: 'Send' }).click();
  await page.waitForFunction(() => document.querySelector('#listGenerations').textContent.includes('problem+json'));
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator('main img, main iframe, main svg, main script').count(), 0);
  const policy = (await fetch(`${server.address}/docs`)).headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|\*/);
});

test('without a stream of events the run is followed by looking', async () => {
  await page.route('**/generations/events*', (route) => route.fulfill({ status: 404, body: '{}' }));
  await desk.go();
  await desk.openScene();
  await desk.select('fog-bank');
  await desk.run();
});

test('in flight is told apart, a run can be cancelled, and a failed one tried again', async () => {
  await desk.go();
  const config = (fail) => JSON.stringify({ generationType: 'text_to_image', purpose: 'ambient', strategy: 'once', prompt: `fails ${fail}`, seedSource: 'fixed', seed: 5, fallback: { mode: 'retry', maxRetries: 0 }, style: { local: { fail } } });
  await desk.open({ name: 'hang.json', text: config('hang') });
  await page.waitForSelector('.ahead[data-answer=created]');
  await page.click('button.primary');
  await page.waitForSelector('.generation:is([data-status=pending], [data-status=processing])');
  await page.waitForSelector('.ahead[data-answer=joined]');
  assert.match(await page.textContent('.ahead'), /In flight already/);
  await page.click('button:text-is("Cancel")');
  await page.waitForSelector('.generation[data-status=cancelled]');
  await page.waitForSelector('button:text-is("Retry")');

  await desk.open({ name: 'fail.json', text: config('content_filtered') });
  await page.waitForSelector('.ahead[data-answer=created]');
  await page.click('button.primary');
  await page.waitForSelector('.generation[data-status=failed] >> text=content_filtered');
  const id = (await page.textContent('.generation .mono')).trim();
  assert.equal((await server.ask(`/generations/${id}`)).run, 1);
  const [again] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith(`/generations/${id}/retry`)),
    page.click('button:text-is("Retry")'),
  ]);
  assert.equal(again.status(), 202);
  await page.waitForSelector('.generation[data-status=failed]');
  await page.waitForFunction(() => !document.querySelector('button.primary').disabled);
  assert.equal((await server.ask(`/generations/${id}`)).run, 2);
});

test('a byte that changes on the way is a CANONICAL_MISMATCH with its fields', async () => {
  await desk.go();
  await desk.openScene();
  await desk.select('storm-watch-goes-on');
  await page.waitForSelector('.ahead[data-answer]');
  await page.route('**/api/v1/generations', (route) => {
    const body = route.request().postData();
    const changed = body.replace('blinks twice', 'blinks thrice');
    assert.notEqual(changed, body);
    return route.continue({ postData: changed });
  });
  await page.click('button.primary');
  const trouble = page.locator('.run .trouble[data-code=CANONICAL_MISMATCH]');
  await trouble.waitFor();
  assert.match(await trouble.textContent(), /\/request_hash declared [0-9a-f]{64}, computed [0-9a-f]{64}/);
  assert.ok((await trouble.textContent()).includes(await desk.value('request_hash')));
  await page.unroute('**/api/v1/generations');
  await desk.run();
  assert.equal(await trouble.count(), 0);
});

const lighthouse = JSON.parse(text('lighthouse.json'));
const changed = (change) => {
  const file = structuredClone(lighthouse);
  change(file);
  return JSON.stringify(file, undefined, 2);
};
const BROKEN = {
  'wrong words and types': changed(({ nodes }) => Object.assign(nodes[0].config, { strategy: 'per_playthru', duration: { min: '4', max: 2, target: 9 }, enabled: 'yes' })),
  'unknown members everywhere': changed((file) => Object.assign(file, { edgs: [] }) && Object.assign(file.nodes[1].config, { promt: 'x' }) && Object.assign(file.world.meta, { genration: {} })),
  'ratings above world, user and film': changed(({ nodes }) => Object.assign(nodes[4].config.socialContext, { contentRating: 'restricted' }) && Object.assign(nodes[5].config.constraints, { rating: 'G' })),
  'ids twice, and edges to nowhere': changed(({ nodes, edges }) => Object.assign(nodes[2], { id: 'lamp-turning' }) && Object.assign(edges[0], { to: 'the-moon' })),
  'rules of an edge': changed(({ edges }) => Object.assign(edges[0].meta.rules, { duration: { min: 9, max: 3 }, style: { pacing: 'hasty' } })),
  'other spellings': text('lighthouse.json').replaceAll('"generationType"', '"generation_type"').replaceAll('"seedSource": "fixed"', '"seed_source": "fixd"').replace('"maxRetries": 3', '"max_retries": -3'),
  'nothing where much should be': changed((file) => Object.assign(file.nodes[3], { config: {} }) && Object.assign(file.nodes[6], { config: null }) && Object.assign(file, { session: { stats: { relationships: { 'npc:noor': 5 } } } })),
  'blocked terms and unknown variables': changed(({ nodes }) => Object.assign(nodes[2].config, { prompt: 'gore and a shipwreck at {{ place }}' })),
  'a bare config': '{"generationType": "image_edit", "purpose": "adaptive", "strategy": "per_player", "seedSource": "timestamp", "version": 0}',
  'a node with its context': '{"id": "n", "config": {"generationType": "npc_response", "purpose": "x", "strategy": "always"}, "options": {"npcIds": ["a"], "sesion": {}, "world": {"meta": {"generation": {"maxContentRating": "high"}}}}}',
  'members twice': '{"generationType": "dialogue", "purpose": "adaptive", "purpose": "ambient", "strategy": "once"}',
  'no JSON': '{"nodes": [{"id": "a", "config": {"generationType": "dialogue",,}}]}',
  'cut off': '{"nodes": [{"id": "a", "config": {',
};

test('the findings are those of `onepath check`: codes and pointers', async () => {
  await desk.go();
  await page.selectOption('#provider', '');
  let seen = 0;
  for (const [name, broken] of Object.entries(BROKEN)) {
    const wanted = checked(broken);
    assert.ok(wanted.length > 0);
    await desk.open({ name: `${name}.json`, text: broken });
    await page.waitForSelector(`.file strong:text-is("${name}.json")`);
    const list = name === 'no JSON' || name === 'cut off' ? '.broken .found' : '.findings li';
    const found = await page.$$eval(list, (all) => all.map(({ dataset }) => `${dataset.code} ${dataset.pointer}`));
    assert.deepEqual(found.sort(), wanted, name);
    seen += wanted.length;
  }
  assert.ok(seen > 40, `${seen} findings`);
});

test('bounds of world and user are really passed', async () => {
  await desk.go();
  await desk.openScene();
  await page.selectOption('#provider', '');
  assert.deepEqual(await desk.findings(), []);
  await page.selectOption('#bound-user', 'sfw');
  const bounded = changed((file) => Object.assign(file.user, { maxContentRating: 'sfw' }));
  assert.deepEqual(await desk.findings(), checked(bounded));
  assert.equal(await desk.state('noor-laughs'), 'error');
  await page.selectOption('#provider', 'local');
  await desk.select('noor-laughs');
  assert.match(await page.textContent('.path .pair'), /rating\s*sfwasked for romantic; lowered by the user's bound/);
  await page.selectOption('#bound-user', '');
  await page.selectOption('#bound-world', 'sfw');
  assert.match(await page.textContent('.path .pair'), /lowered by the world's bound/);
  // A bare config has no world of its own: the default and the chosen bound count.
  const config = { generationType: 'dialogue', purpose: 'adaptive', strategy: 'once', seedSource: 'fixed', seed: 1, prompt: 'x', socialContext: { contentRating: 'romantic' }, duration: { target: 5 }, fallback: { mode: 'skip' } };
  await page.selectOption('#provider', '');
  await desk.open({ name: 'config.json', text: JSON.stringify(config) });
  await page.waitForSelector('.file strong:text-is("config.json")');
  const world = beside('world.json', { meta: { generation: { maxContentRating: 'sfw' } } });
  const wanted = checked(JSON.stringify(config), '--world', world);
  assert.ok(wanted.some((finding) => finding.startsWith('rating/exceeds-world')));
  assert.deepEqual(await desk.findings(), wanted);
});

test('templates beside the file are known', async () => {
  await desk.go();
  await page.selectOption('#provider', '');
  await desk.open(scene('harbor.json'), scene('prompts.json'));
  await page.waitForSelector('.notice:has-text("harbor-ambience")');
  assert.deepEqual(await desk.findings(), checked(text('harbor.json'), '--prompts', scene('prompts.json')));
  await page.selectOption('#provider', 'local');
  await desk.select('quay-morning');
  assert.match(await desk.value('cache_key'), /^generation:environment\|/);
});

test('families of the server are shown as the provider gets them, pinned, and by what another version does to the key', async () => {
  const { prompts } = createClient({ baseUrl: server.address, token: server.key });
  const { text: words, negativeText, variables } = JSON.parse(text('prompts.json'))['harbor-ambience'];
  const first = { text: words, negative_text: negativeText, variables };
  await prompts.findOrCreate({ id: 'harbor-ambience', ...first });
  await prompts.addVersion('harbor-ambience', { ...first, text: `${words} Wide shot.`, notes: 'from afar' });
  await prompts.putTerms({ flagged: ['wide shot'] });
  await desk.go();
  await desk.open({ name: 'harbor.json', text: text('harbor.json').replace('"templateVersionId": "harbor-ambience-3",', '') });
  await desk.select('quay-morning');
  await page.click('#tab-prompt');
  const own = JSON.parse(text('harbor.json')).nodes.find(({ id }) => id === 'quay-morning').config.variables;
  const shows = async (version) => {
    const rendered = await prompts.render('harbor-ambience', { version, variables: own });
    await page.waitForFunction((wanted) => document.querySelector('[data-value=prompt]')?.textContent === wanted, rendered.prompt);
    assert.equal(await desk.value('negative_prompt'), rendered.negative_prompt);
    return rendered;
  };
  assert.equal((await shows('latest')).version_id, 'harbor-ambience@2');
  assert.ok((await desk.findings()).some((finding) => finding.startsWith('prompt/flagged ')));
  await page.waitForSelector('.roles li[data-role=camera]:has-text("Wide shot")');
  assert.equal(await page.getAttribute('[data-changes]', 'data-changes'), '/prompt /seed', 'the seed is derived from the content');
  const key = await desk.value('cache_key');
  await page.getByLabel('version of the prompt').selectOption('harbor-ambience@1');
  const { prompt } = await shows('harbor-ambience@1');
  assert.notEqual(await desk.value('cache_key'), key);
  assert.equal(await page.getAttribute('[data-changes]', 'data-changes'), '/prompt /seed', 'the seed is derived from the content');
  await desk.run();
  const id = (await page.textContent('.generation .mono')).trim();
  const made = await server.ask(`/generations/${id}`);
  assert.equal(made.final_prompt, prompt);
  assert.equal(made.prompt_version_id, 'harbor-ambience@1');
  assert.equal(made.cache_key, await desk.value('cache_key'));
  await prompts.putTerms({});
});

test('the panel shows what `onepath fingerprint` computes, part by part and why', async () => {
  await desk.go();
  await desk.openScene();
  const prints = lines(text('lighthouse.json'), 'fingerprint', '--provider', 'local');
  for (const { node, ...print } of prints.filter(({ node }) => lighthouse.nodes.some(({ id }) => id === node))) {
    await desk.select(node);
    assert.equal(await desk.value('request_hash'), print.request_hash);
    assert.equal(await desk.value('cache_key'), print.cache_key);
    assert.equal(await desk.value('seed'), print.seed);
    const parts = await page.$$eval('.parts li code', (all) => all.map(({ textContent }) => textContent));
    assert.equal(`generation:${parts.join('|')}`, print.cache_key);
    assert.ok((await page.$$eval('.parts .why', (all) => all.every(({ textContent }) => textContent.length > 10))));
  }
  const document = new Document(text('lighthouse.json'), { providerId: 'local' });
  assert.equal(await desk.value('canonical'), document.prepare(lighthouse.nodes.at(-1).id).canonical);
  assert.equal(prints.length >= 7, true);
});

test('two nodes side by side differ where `explain` says', async () => {
  await desk.go();
  await desk.openScene();
  await desk.select('noor-laughs');
  await page.click('#tab-compare');
  await page.getByLabel('compare with').selectOption({ label: 'noor-by-the-stove' });
  const document = new Document(text('lighthouse.json'), { providerId: 'local' });
  const wanted = explain(document.request('noor-laughs'), document.request('noor-by-the-stove'));
  const rows = await page.$$eval('.compare tbody tr', (all) => all.map((row) => [row.querySelector('code').textContent, row.classList.contains('matters')]));
  assert.deepEqual(rows, wanted.map(({ pointer, changes_key }) => [pointer, changes_key]));
});

test('the request tab edits what the request is built with, and an edge has its own rules', async () => {
  await desk.go();
  await desk.openScene();
  await desk.select('lamp-turning');
  await page.click('#tab-request');
  await page.getByLabel('build options of lamp-turning').fill('{"seed": 77}');
  await page.waitForFunction(() => document.querySelector('[aria-label=request]')?.textContent.includes('"seed": "77"'));
  assert.equal(await desk.value('seed'), '77');
  await page.keyboard.press('Control+z');
  assert.equal(await desk.value('seed'), '212');
  await page.click('#tab-form');
  await page.locator('.react-flow__edge[aria-label="generating edge climb"]').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.inspector h2')?.textContent === 'climb');
  await page.fill('#field_duration_max', '1');
  await page.waitForSelector('.link.error');
  assert.ok((await desk.findings()).some((finding) => finding.startsWith('duration/') && finding.includes('/edges/0/meta/rules/duration')));
});

test('a file that is no JSON can be mended, and one that is no text is refused', async () => {
  await desk.go();
  await desk.open({ name: 'broken.json', text: '{"generationType": "text_to_image", }' });
  await page.waitForSelector('.broken [data-code="json/syntax"]');
  await page.fill('.broken textarea', '{"generationType": "text_to_image"}');
  await page.waitForSelector('.card.node');
  assert.equal(await desk.saved(), '{"generationType": "text_to_image"}');
  await page.setInputFiles('input[type=file]', { name: 'picture.json', mimeType: 'application/json', buffer: Buffer.from([0xff, 0xd8, 0xff]) });
  await page.waitForSelector('[role=alert]:has-text("is not UTF-8 text")');
  // What was open is still there.
  assert.equal(await page.textContent('.file strong'), 'broken.json');
});

test('without a key, with a wrong one, and without a server', async () => {
  await desk.go('');
  await page.waitForSelector('.server.no-key');
  await desk.openScene();
  await page.getByLabel('key', { exact: true }).fill('wrong');
  await page.click('text=Connect');
  await page.waitForSelector('[role=alert]:has-text("does not know this key")');
  await page.getByLabel('key', { exact: true }).fill(server.key);
  await page.click('text=Connect');
  await page.waitForSelector('.server.ready');
  await page.route('**/version', (route) => route.abort());
  await page.reload();
  await page.waitForSelector('.server.absent');
  await desk.openScene();
  await page.waitForSelector('text=No server answers at this address');
  await page.selectOption('#provider', 'local');
  assert.match(await desk.value('request_hash'), /^[0-9a-f]{64}$/);
});

test('everything can be done with the keyboard', async () => {
  // The browser's own dialog cannot be reached from here; the plain one can.
  await page.addInitScript(() => delete window.showOpenFilePicker);
  await desk.go();
  const tabTo = async (what, key = 'Tab') => {
    for (let steps = 0; steps < 80; steps += 1) {
      await page.keyboard.press(key);
      if (await page.evaluate((what) => document.activeElement?.matches(what), what)) return;
    }
    assert.fail(`Tab does not lead to ${what}`);
  };
  await tabTo('main button.primary');
  // What the dialog would give is given here: no dialog opens without a screen.
  await page.$eval('input[type=file]', (input) => input.addEventListener('click', (event) => {
    event.preventDefault();
    input.dataset.asked = '';
  }));
  await page.keyboard.press('Enter');
  await page.waitForSelector('input[type=file][data-asked]', { state: 'attached' });
  await page.setInputFiles('input[type=file]', scene('lighthouse.json'));
  await page.waitForSelector('.card.node');
  await tabTo('.react-flow__node:has([data-node="fog-bank"])');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('.inspector h2')?.textContent === 'fog-bank');
  await tabTo('[role=tab][aria-selected=true]');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'JSON');
  assert.equal(await page.getAttribute('#tab-json', 'aria-selected'), 'true');
  await page.keyboard.press('ArrowLeft');
  await tabTo('#field_duration_target');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('99');
  await page.waitForSelector('[data-node="fog-bank"][data-state=error]');
  await page.locator('#field_generationType').focus();
  await page.keyboard.press('F8');
  await page.waitForFunction(() => document.activeElement?.id === 'field_duration_target');
  await page.keyboard.press('Control+z');
  await page.waitForSelector('[data-node="fog-bank"][data-state=ok]');
  await page.keyboard.press('Control+Shift+z');
  await page.waitForSelector('[data-node="fog-bank"][data-state=error]');
  await page.keyboard.press('Control+z');
  await tabTo('button.primary');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.generation[data-status=completed] .picture');
});

test('dark and light: the system first, then the user, and words that can be read in both', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await desk.go();
  await desk.openScene();
  await desk.select('noor-by-the-stove');
  await page.fill('#field_duration_target', '99');
  await page.waitForSelector('.found.error');
  const colors = () => page.evaluate(contrasts);
  const dark = await colors();
  await page.emulateMedia({ colorScheme: 'light' });
  await page.waitForSelector('[data-theme=light]');
  const light = await colors();
  assert.ok(dark.ground < 0.1 && light.ground > 0.8);
  for (const { poor } of [dark, light]) assert.deepEqual(poor, []);
  await page.click('[aria-label="dark colors"]');
  await page.waitForSelector('[data-theme=dark]');
  await page.reload();
  await page.waitForSelector('[data-theme=dark]');
});

/** In the page: how light its ground is, and every text whose contrast is below 4.5 to 1 (WCAG 2, AA). */
function contrasts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([red, green, blue]) => {
    const part = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return light(color);
    }
    return 1;
  };
  const poor = [];
  for (const element of document.querySelectorAll('.bar *, .inspector *, .side *, .findings *, .card *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== '');
    if (!hasText || element.closest(':disabled, [aria-hidden=true], option') || !element.checkVisibility()) continue;
    const [one, other] = [light(rgba(getComputedStyle(element).color)), behind(element)].sort((left, right) => right - left);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) poor.push(`${element.className || element.tagName} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return { ground: behind(document.body), poor };
}
