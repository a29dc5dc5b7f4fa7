// The official clients of providers against the fakes, beside a server of this project: the same
// wish, the same faults. Prints one table in Markdown.
//
// ONEPATH is the command, PYTHON a Python with fal-client.

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PROMPT = "a lighthouse in fog";
const children = [];

/** Starts a program and waits for the line that tells where it is. */
async function start(args, env, pattern) {
  const child = spawn(process.env.ONEPATH, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.match(pattern);
    if (found) {
      child.stdout.resume();
      return found[1];
    }
  }
  throw new Error(`${args.join(" ")} does not start`);
}

/** A fake with these switches. */
async function fake(kind, switches) {
  const args = ["fake", kind, "--switches", JSON.stringify(switches)];
  const url = await start(args, {}, /^fake \S+ (\S+)$/);
  const { origin } = new URL(url);
  const ask = async (what) => (await fetch(`${origin}/_fake/${what}`)).json();
  return {
    url,
    origin,
    charges: async () => (await ask("charges")).length,
    creates: () => ask("creates"),
  };
}

/** What an answer, or an error, looks like in a cell. */
function short(value) {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : JSON.stringify(value);
  const line = String(text).replaceAll(/\s+/g, " ").replaceAll("|", "/");
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}

/** What a promise comes to within some seconds. */
async function outcome(promise, seconds = 60) {
  const late = new Promise((resolve) => setTimeout(resolve, seconds * 1000, "late").unref());
  const done = promise.then(
    (value) => ({ value }),
    (error) => ({ error: error instanceof Error ? error : new Error(String(error)) }),
  );
  const ended = await Promise.race([done, late]);
  return ended === "late" ? { late: seconds } : ended;
}

function told(ended) {
  if (ended.late) return `still at it after ${ended.late} s`;
  return ended.error ? short(ended.error) : `\`${short(ended.value)}\``;
}

// --- the clients ---------------------------------------------------------------------------------

const { default: Replicate, validateWebhook } = await import("replicate");
const { createFalClient } = await import("@fal-ai/client");
const { generateImage, experimental_generateVideo: generateVideo } = await import("ai");
const { createReplicate } = await import("@ai-sdk/replicate");
const { createFal } = await import("@ai-sdk/fal");

const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies;
const requirements = readFileSync(new URL("requirements.txt", import.meta.url), "utf8");
const python = requirements.match(/fal-client==(\S+)/)[1];

/** Calls of fal's own addresses, sent to a fake. */
const redirected = (origin) => (input, init) => {
  const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
  return fetch(`${origin}${url.pathname}${url.search}`, init);
};

function replicate(at, more = {}) {
  return new Replicate({ auth: "r8_test", baseUrl: at.url, useFileOutput: false, ...more });
}

const CLIENTS = {
  replicate: {
    name: `replicate (npm) ${versions.replicate}`,
    kind: "replicate",
    make: (at) => replicate(at).run("google/nano-banana", { input: { prompt: PROMPT } }),
  },
  fal: {
    name: `@fal-ai/client ${versions["@fal-ai/client"]}`,
    kind: "fal",
    make: (at) =>
      createFalClient({ credentials: "k:s", fetch: redirected(at.origin) }).subscribe(
        "fal-ai/nano-banana",
        { input: { prompt: PROMPT }, pollInterval: 200 },
      ),
  },
  "fal-client": {
    name: `fal-client (Python) ${python}`,
    kind: "fal",
    make: (at) => inPython(at),
  },
  "ai image": {
    name: `ai ${versions.ai}, @ai-sdk/replicate ${versions["@ai-sdk/replicate"]}, image`,
    kind: "replicate",
    make: async (at) => {
      const provider = createReplicate({ apiToken: "r8_test", baseURL: at.url });
      const made = await generateImage({
        model: provider.image("google/nano-banana"),
        prompt: PROMPT,
      });
      return { images: made.images.length };
    },
  },
  "ai video": {
    name: `ai ${versions.ai}, @ai-sdk/fal ${versions["@ai-sdk/fal"]}, video`,
    kind: "fal",
    make: async (at) => {
      const provider = createFal({ apiKey: "k:s", fetch: redirected(at.origin) });
      const made = await generateVideo({ model: provider.video("luma-dream-machine"), prompt: PROMPT });
      return { videos: made.videos.length };
    },
  },
};

async function inPython(at) {
  const child = spawn(process.env.PYTHON, [new URL("rivals.py", import.meta.url).pathname], {
    env: { ...process.env, FAL_ORIGIN: at.origin, FAL_KEY: "k:s", PROMPT },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  const answer = JSON.parse(text);
  if (answer.error) throw Object.assign(new Error(answer.message), { name: answer.error });
  return answer.value;
}

// --- ours ----------------------------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "onepath-rivals-"));

/** A server whose provider is a fake, and what it makes of a wish. */
async function server(kind, at) {
  const data = mkdtempSync(join(folder, "data-"));
  const file = join(data, "providers.json");
  writeFileSync(file, JSON.stringify({ replicate: { visibility_seconds: 1 } }));
  const args = ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", data, "--providers", file];
  const env = {
    REPLICATE_API_TOKEN: "r8_test",
    REPLICATE_API_URL: at.url,
    ONEPATH_DEV_KEY: "rivals",
    ONEPATH_LOG: "off",
  };
  const base = await start(args, env, /^onepath serves (\S+)$/);
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: "Bearer rivals", "content-type": "application/json", ...headers },
      body: typeof body === "object" ? JSON.stringify(body) : body,
    });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  };
  const wish = {
    provider_id: kind,
    config: {
      generationType: "text_to_image",
      purpose: "ambient",
      strategy: "once",
      prompt: PROMPT,
      fallback: { mode: "retry", maxRetries: 0 },
    },
  };
  return {
    call,
    create: async () =>
      (await call("POST", "/api/v1/generations", wish, { "idempotency-key": "one-intent" })).body,
    get: async (id) => (await call("GET", `/api/v1/generations/${id}`)).body,
    end: async (id) => {
      for (;;) {
        const now = (await call("GET", `/api/v1/generations/${id}`)).body;
        if (["completed", "failed", "cancelled"].includes(now.status)) return now;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

/** A wish at a server of ours, whose caller asks three times under one key, as a retry does. */
async function ours(at) {
  const at_work = await server("replicate", at);
  const [first] = [await at_work.create(), await at_work.create(), await at_work.create()];
  return { at_work, first, end: () => at_work.end(first.id) };
}

// --- the faults ----------------------------------------------------------------------------------

const LOST = { faults: [{ on: "create", what: "cut_after", times: 1000 }] };
const LIMIT = { faults: [{ on: "create", what: "status", status: 429, retry_after: "2", times: 5 }] };
const rows = [];
const failures = [];

function expect(good, what) {
  if (!good) failures.push(what);
}

/** A row: a cell for each client that has one, and ours. */
async function row(title, cells, own, wanted) {
  const line = { title, cells: {} };
  for (const [client, cell] of Object.entries(cells)) line.cells[client] = await cell();
  line.own = await own();
  expect(wanted.test(line.own), `${title}: ours is \`${line.own}\``);
  rows.push(line);
  console.error(`   ${title}: ${JSON.stringify(line.cells)} ours: ${line.own}`);
}

const each = (clients, cell) =>
  Object.fromEntries(clients.map((client) => [client, () => cell(CLIENTS[client])]));

await row(
  "every answer to the submission is lost after it was taken: charges for one wish",
  each(Object.keys(CLIENTS), async (client) => {
    const at = await fake(client.kind, LOST);
    const ended = await outcome(client.make(at), 120);
    const end = ended.error ? "and an error" : ended.late ? `after ${ended.late} s` : "and a result";
    return `**${await at.charges()}**, ${end}`;
  }),
  async () => {
    const at = await fake("replicate", LOST);
    const run = await ours(at);
    const done = await run.end();
    return `**${await at.charges()}**, ${done.status}`;
  },
  /^\*\*1\*\*, completed$/,
);

/** How long a client stayed away after each refusal, in milliseconds. */
const waits = (creates) => creates.slice(1).map((at, index) => at - creates[index]);

function patience(creates, ended) {
  const all = waits(creates);
  const end = ended.error ? "an error" : ended.late ? "no end" : "a result";
  if (all.length === 0) return `asks once, ${end}`;
  const shortest = Math.min(...all);
  const word = shortest >= 2000 ? "waits" : "does not wait";
  const span = creates.at(-1) - creates[0];
  return `${word}: ${creates.length} calls in ${span} ms, the closest ${shortest} ms apart, ${end}`;
}

await row(
  "429 with `Retry-After: 2`, five times",
  each(Object.keys(CLIENTS), async (client) => {
    const at = await fake(client.kind, LIMIT);
    const ended = await outcome(client.make(at), 60);
    return patience(await at.creates(), ended);
  }),
  async () => {
    const at = await fake("replicate", LIMIT);
    const run = await ours(at);
    const ended = await outcome(run.end(), 180);
    return patience(await at.creates(), ended);
  },
  /^waits: 6 calls .* a result$/,
);

await row(
  "a create answers that the work has begun, without output",
  each(["replicate", "ai image"], async (client) => {
    const at = await fake(client.kind, { takes_ms: 3000 });
    return told(await outcome(client.make(at), 30));
  }),
  async () => {
    const at = await fake("replicate", { takes_ms: 3000 });
    const run = await ours(at);
    const now = await run.at_work.get(run.first.id);
    return `a handle (${now.status}), then ${(await run.end()).status}`;
  },
  /^a handle \((pending|processing)\), then completed$/,
);

const ABORTED = { end: "aborted" };
await row(
  "the prediction ends as `aborted`",
  {
    ...each(["ai image"], async (client) => {
      const at = await fake(client.kind, ABORTED);
      return told(await outcome(client.make(at), 10));
    }),
    replicate: async () => {
      const at = await fake("replicate", ABORTED);
      const ran = await outcome(CLIENTS.replicate.make(at), 5);
      const client = replicate(at);
      const model = "google/nano-banana";
      const created = await client.predictions.create({ model, input: { prompt: PROMPT } });
      const waited = await outcome(client.wait(created, { interval: 100 }), 3);
      return `\`run\`: ${told(ran)}; \`wait\`: ${told(waited)}`;
    },
  },
  async () => {
    const at = await fake("replicate", ABORTED);
    const run = await ours(at);
    const done = await run.end();
    const used = (await run.at_work.call("GET", "/api/v1/usage")).body.runs_month;
    return `terminal: ${done.status} (${done.error_code}), ${used} runs counted for the user`;
  },
  /^terminal: failed \(\S+\), 0 runs counted for the user$/,
);

/** Signs as Standard Webhooks does, with the secret that the API tells. */
async function signed(at, id, timestamp, body, version) {
  const answer = await fetch(`${at.url}/webhooks/default/secret`, {
    headers: { authorization: "Bearer r8_test" },
  });
  const { key } = await answer.json();
  const mac = createHmac("sha256", Buffer.from(key.slice("whsec_".length), "base64"));
  return { key, signature: `${version},${mac.update(`${id}.${timestamp}.${body}`).digest("base64")}` };
}

await row(
  "a webhook of 1970, with a signature of version `v9`",
  {
    replicate: async () => {
      const at = await fake("replicate", {});
      const body = JSON.stringify({ id: "p1", status: "succeeded", output: "https://evil.example/" });
      const { key, signature } = await signed(at, "msg_1", "1", body, "v9");
      const good = await validateWebhook({ id: "msg_1", timestamp: "1", body, signature, secret: key });
      return good ? "accepted" : "rejected";
    },
  },
  async () => {
    const at = await fake("replicate", { takes_ms: 600_000 });
    const run = await ours(at);
    let prediction = null;
    while (!prediction) {
      prediction = (await run.at_work.get(run.first.id)).attempts.at(-1)?.prediction_id;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const body = JSON.stringify({ id: prediction, status: "succeeded", output: "https://evil.example/" });
    const deliver = async (id, timestamp, version) => {
      const { signature } = await signed(at, id, timestamp, body, version);
      return run.at_work.call("POST", "/api/v1/webhooks/replicate", body, {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
      });
    };
    const now = String(Math.floor(Date.now() / 1000));
    const forged = [await deliver("m1", "1", "v1"), await deliver("m2", now, "v9"), await deliver("m3", "1", "v9")];
    const good = await deliver("m4", now, "v1");
    const all = forged.every((answer) => answer.status === 403) && good.status < 300;
    return all ? "rejected; a good one is taken" : `answered ${forged.map((one) => one.status)} and ${good.status}`;
  },
  /^rejected; a good one is taken$/,
);

// --- the table -----------------------------------------------------------------------------------

const clients = Object.keys(CLIENTS);
const lines = [
  `| | ${clients.map((client) => CLIENTS[client].name).join(" | ")} | **onepath** |`,
  `|${"---|".repeat(clients.length + 2)}`,
  ...rows.map(({ title, cells, own }) => `| ${title} | ${clients.map((client) => cells[client] ?? "–").join(" | ")} | ${own} |`),
];
console.log(lines.join("\n"));
for (const child of children) child.kill();
rmSync(folder, { recursive: true, force: true });
for (const failure of failures) console.error(`not as it must be: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);
