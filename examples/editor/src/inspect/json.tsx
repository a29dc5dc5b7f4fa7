import type { Finding } from 'onepath';
import { useEffect, useId, useRef, useState } from 'react';

import { editor } from '../editor';
import type { Item } from '../scene/items';
import { at, edits, isObject, isWithin, plain, pointer, steps, type Step } from '../scene/pointer';
import type { View } from '../scene/scene';
import { worst } from '../ui/findings';
import { Findings } from './findings';

/** A part of the document as JSON. Only what is changed is written, the rest of the file keeps its bytes. */
export function JsonPart({ place, view, label }: { place: string; view: View; label: string }) {
  const value = at(view.value, steps(place));
  const written = value === undefined ? '' : lines(value);
  const [typed, setTyped] = useState(text(written));
  const [wrong, setWrong] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const note = useId();
  const shown = text(written);
  useEffect(() => {
    const read = parse(typed);
    if (read.wrong === undefined && JSON.stringify(read.value) === JSON.stringify(value)) return;
    setTyped(shown);
    setWrong('');
  }, [shown]);
  const write = (next: string) => {
    setTyped(next);
    const read = parse(next);
    setWrong(read.wrong ?? '');
    if (read.wrong === undefined) editor.apply(edits(value, read.value, place), `json ${place}`);
  };
  const found = view.report.findings.filter((finding) => isWithin(spelled(finding.pointer), spelled(place)));
  const marks = new Map<number, Finding[]>();
  for (const finding of found) {
    const line = lineOf(Array.isArray(written) ? written : [], spelled(finding.pointer).slice(spelled(place).length));
    marks.set(line, [...(marks.get(line) ?? []), finding]);
  }
  const rows = typed.split('\n');
  return (
    <div className="json">
      <div className="code-box">
        <div className="gutter" aria-hidden="true">
          {rows.map((_, line) => {
            const here = marks.get(line) ?? [];
            return <span key={line} className={`line ${worst(here)}`} title={here.map(({ message }) => message).join('\n')}>{line + 1}</span>;
          })}
        </div>
        <textarea ref={area} className="mono" aria-label={label} aria-describedby={note} aria-invalid={wrong !== ''} value={typed} rows={Math.max(3, rows.length)} wrap="off" spellCheck={false} onChange={({ target }) => write(target.value)} />
      </div>
      <p id={note} className="wrong" role="status">{wrong}</p>
      <Findings findings={found} />
    </div>
  );
}

export function JsonTab({ item, view }: { item: Item; view: View }) {
  return (
    <>
      <p className="about">{item.kind === 'edge' ? 'The rules that this edge merges into the config of its node.' : 'The config of this node.'} <code>{item.config || 'the whole file'}</code></p>
      <JsonPart key={item.config} place={item.config} view={view} label={`JSON of ${item.name}`} />
    </>
  );
}

const spelled = (place: string) => steps(place).map((step) => `/${plain(step)}`).join('');

interface Line {
  text: string;
  place: string;
}

/** JSON as it is usually laid out, with the place that each line begins. */
function lines(value: unknown): Line[] {
  const out: Line[] = [];
  const write = (value: unknown, indent: string, place: Step[], before: string, after: string) => {
    const here = pointer(...place);
    const entries: [Step, unknown][] | undefined = Array.isArray(value) ? value.map((item, index) => [index, item]) : isObject(value) ? Object.entries(value) : undefined;
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    const isShort = Array.isArray(value) && value.every((item) => typeof item !== 'object') && JSON.stringify(value).length < 60;
    if (!entries || entries.length === 0 || isShort) {
      const short = isShort && entries?.length ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]` : JSON.stringify(value);
      out.push({ text: `${indent}${before}${short}${after}`, place: here });
      return;
    }
    out.push({ text: `${indent}${before}${open}`, place: here });
    entries.forEach(([name, member], index) => {
      const label = typeof name === 'string' ? `${JSON.stringify(name)}: ` : '';
      write(member, `${indent}  `, [...place, typeof name === 'string' ? plain(name) : name], label, index < entries.length - 1 ? ',' : '');
    });
    out.push({ text: `${indent}${close}${after}`, place: here });
  };
  write(value, '', [], '', '');
  return out;
}

function text(written: Line[] | ''): string {
  return written === '' ? '' : written.map(({ text }) => text).join('\n');
}

/** The line of a place; of what is absent, that of the last thing that could hold it. */
function lineOf(written: readonly Line[], place: string): number {
  for (let here = place; ; here = here.slice(0, here.lastIndexOf('/'))) {
    const line = written.findIndex((line) => line.place === here);
    if (line >= 0 || here === '') return Math.max(0, line);
  }
}

function parse(text: string): { value?: unknown; wrong?: string } {
  if (text.trim() === '') return {};
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { wrong: `no JSON yet, the file keeps what was there: ${error instanceof Error ? error.message : String(error)}` };
  }
}
