// Random doubles and texts through `onepath batch canon` and through Node's own formatting:
// usage `node numbers.mjs ONEPATH COUNT`. Canonical text is what JSON.stringify writes of a number
// and of a text, so every line must be equal.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { randomBytes } from "node:crypto";

const [onepath, count] = [process.argv[2], Number(process.argv[3])];
const PER_LINE = 100;

function number(bytes, at) {
  const kind = bytes[at] % 4;
  if (kind === 0) return bytes.readInt32LE(at) / 10 ** (bytes[at + 4] % 8);
  if (kind === 1) return bytes.readInt32LE(at);
  const value = bytes.readDoubleLE(at);
  return Number.isFinite(value) ? value : 0.1;
}

function text(bytes, at) {
  const units = Array.from(bytes.subarray(at, at + 6), (byte, i) => (i % 2 ? byte : byte * 251));
  return String.fromCharCode(...units).toWellFormed();
}

const child = spawn(onepath, ["batch", "canon"], { stdio: ["pipe", "pipe", "inherit"] });
const expected = [];
async function write() {
  for (let done = 0; done < count; done += PER_LINE) {
    const bytes = randomBytes(PER_LINE * 8);
    const items = [];
    for (let i = 0; i < PER_LINE; i++) items.push(number(bytes, i * 8));
    items.push(text(bytes, 0));
    // Written with 17 digits and unnecessary escapes, so that nothing is canonical by accident.
    const line = items.map((item) =>
      typeof item === "number"
        ? item.toExponential(20)
        : `"${Array.from({ length: item.length }, (_, i) => "\\u" + item.charCodeAt(i).toString(16).padStart(4, "0")).join("")}"`,
    );
    expected.push(`[${items.map((item) => JSON.stringify(Object.is(item, -0) ? 0 : item)).join(",")}]`);
    if (!child.stdin.write(`[${line.join(" , ")}]\n`)) {
      await new Promise((resolve) => child.stdin.once("drain", resolve));
    }
  }
  child.stdin.end();
}
const writing = write();
let wrong = 0;
let lines = 0;
for await (const line of createInterface({ input: child.stdout })) {
  if (line !== expected[lines]) {
    wrong += 1;
    if (wrong <= 3) console.log(`differs:\n  ours ${line.slice(0, 300)}\n  node ${expected[lines].slice(0, 300)}`);
  }
  expected[lines] = undefined;
  lines += 1;
}
await writing;
if (lines !== Math.ceil(count / PER_LINE)) wrong += 1;
console.log(`${lines * PER_LINE} numbers and ${lines} texts compared, ${wrong} lines differ`);
console.log(`test result: ${wrong ? "FAILED" : "ok"}. ${wrong ? 0 : 1} passed; ${wrong ? 1 : 0} failed`);
process.exit(wrong ? 1 : 0);
