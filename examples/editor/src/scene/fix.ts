/** Edits that do what a finding's help says, where it names a word. */

import type { Finding } from 'onepath';

import { at, type Edit, plain, steps } from './pointer';

export interface Fix {
  label: string;
  edits: Edit[];
}

export function fix(finding: Finding, value: unknown): Fix | undefined {
  const word = /did you mean `([^`]+)`/.exec(finding.help ?? '')?.[1];
  if (word === undefined) return undefined;
  const { pointer, code } = finding;
  if (code === 'json/unknown-word') return { label: `use ${word}`, edits: [{ pointer, value: word }] };
  if (code !== 'json/unknown-field') return undefined;
  const place = steps(pointer);
  const above = pointer.slice(0, pointer.lastIndexOf('/'));
  const holder = at(value, place.slice(0, -1));
  const known = at(holder, [plain(word)]);
  const stands = (holder as Record<string, unknown> | undefined)?.[place.at(-1) ?? ''];
  if (known !== undefined || stands === undefined) return undefined;
  return { label: `rename to ${word}`, edits: [{ pointer }, { pointer: `${above}/${word}`, value: stands }] };
}
