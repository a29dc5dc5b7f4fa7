// What is asked of the package in Node and in Chromium alike.

import { documents } from './generator.mjs';

/** The whole walk of every vector and of `count` random documents, as texts. */
export function answers(onepath, cases, count) {
  const whole = cases.map(({ input }) => input).filter(({ config }) => config !== undefined);
  return [...whole, ...documents(cases, count, 20_260_802)].map(({ config, options }) =>
    JSON.stringify(onepath.prepare(config, options ?? {})),
  );
}

/** Their count and hash, by the browser's own code. */
export async function digest(texts) {
  const bytes = new TextEncoder().encode(`${texts.join('\n')}\n`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return { count: texts.length, sha256: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}
