// Not the package's index: that pulls in Ajv for its tests.
import Form from '@rjsf/core/lib/components/Form.js';
import type { ArrayFieldItemTemplateProps, ArrayFieldTemplateProps, FieldProps, FieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema, ValidatorType } from '@rjsf/utils';
import type { Finding } from 'onepath';
import { useEffect, useId, useMemo, useRef, useState } from 'react';

import { editor, type State } from '../editor';
import type { Item } from '../scene/items';
import { at, edits, isObject, isWithin, plain, pointer, steps, type Edit, type Step } from '../scene/pointer';
import type { View } from '../scene/scene';
import { Findings } from './findings';
import { fit, formSchema, type Word } from './schema';

/** What the fields of a form know beside their value. */
interface Context {
  /** Where the config stands. */
  config: string;
  /** The config as it stands in the document. */
  raw: unknown;
  findings: Finding[];
  /** The place that wants to be seen. */
  shown: State['shown'];
}

/** Findings come from the open document, whole and at once; the form asks nothing of its own. */
const VALIDATOR: ValidatorType<unknown, RJSFSchema, Context> = {
  validateFormData: () => ({ errors: [], errorSchema: {} }),
  isValid: () => true,
  rawValidation: () => ({}),
};

/** Fields that belong together, in the order in which one thinks of them. */
const GROUPS: [string, string[]][] = [
  ['What', ['generationType', 'purpose', 'prompt', 'negativePrompt', 'prompts', 'templateId', 'templateVersionId', 'variables']],
  ['Who shares it', ['strategy', 'seedSource', 'seed', 'version', 'enabled']],
  ['What it starts from', ['imageUrl', 'imageUrls', 'videoUrl', 'originalVideoId', 'fusionAssets']],
  ['How it looks', ['style']],
  ['How long', ['duration']],
  ['Constraints', ['constraints']],
  ['Social context', ['socialContext']],
  ['If it fails', ['fallback']],
];

export function ConfigForm({ item, view, provider, shown }: { item: Item; view: View; provider: string; shown: State['shown'] }) {
  const raw = at(view.value, steps(item.config));
  const schema = useMemo(() => formSchema(raw, provider), [JSON.stringify(isObject(raw) && isObject(raw['style']) ? Object.keys(raw['style']) : []), provider]);
  const value = fit(schema as Record<string, unknown>, raw) ?? {};
  const context: Context = { config: item.config, raw, findings: view.report.findings, shown };
  return (
    <Form<unknown, RJSFSchema, Context>
      key={item.place}
      tagName="div"
      className="form"
      schema={schema}
      formData={value}
      formContext={context}
      validator={VALIDATOR}
      noValidate
      showErrorList={false}
      idPrefix="field"
      fields={{ StringField: Scalar, NumberField: Scalar, BooleanField: Scalar }}
      templates={{ FieldTemplate: Field, ObjectFieldTemplate: Fields, ArrayFieldTemplate: List, ArrayFieldItemTemplate: ListItem }}
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults', arrayMinItems: { populate: 'never' } }}
      onChange={({ formData }) => change(item, value, formData)}
    >
      <></>
    </Form>
  );
}

/** The edits of the document that a change of the form stands for. */
function change(item: Item, before: unknown, after: unknown): void {
  const made = edits(before, after).map(({ pointer, value }): Edit => ({ pointer: item.config + pointer, ...(value === undefined ? {} : { value: filled(value) }) }));
  // An empty object is what the form makes where nothing stands; it is no edit.
  const meant = made.filter(({ value }) => !isObject(value) || Object.keys(value).length > 0);
  if (meant.length > 0) editor.apply(meant, meant.length === 1 ? meant[0]?.pointer : undefined);
}

/** A new item of a list is an empty text until something is written. */
function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? '' : filled(item)));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).flatMap(([name, member]) => (member === undefined ? [] : [[name, filled(member)]])));
  return value;
}

/** `fallback` → `fallback`, `maxRetries` → `max retries`. */
export function title(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, left: string, right: string) => `${left} ${right.toLowerCase()}`);
}

const spelled = (place: string) => steps(place).map(plain).join('/');

/** The findings of a field itself, in whichever spelling the document has it. */
function own(context: Context, path: readonly Step[], deep: boolean): Finding[] {
  const place = spelled(context.config + pointer(...path));
  return context.findings.filter((finding) => {
    const found = spelled(finding.pointer);
    return found === place || (deep && isWithin(found, place));
  });
}

function Field(props: FieldTemplateProps<unknown, RJSFSchema, Context>) {
  const { id, label, children, schema, rawDescription, hidden, registry } = props;
  const context = registry.formContext;
  const { path } = props.fieldPathId;
  const place = context.config + pointer(...path);
  const { shown } = context;
  const box = useRef<HTMLDivElement>(null);
  const isWanted = shown !== undefined && spelled(shown.pointer) === spelled(place);
  useEffect(() => {
    if (!isWanted || !box.current) return;
    for (let above = box.current.parentElement?.closest('details'); above; above = above.parentElement?.closest('details')) above.open = true;
    box.current.scrollIntoView({ block: 'center' });
    box.current.querySelector<HTMLElement>('input, textarea, select, button')?.focus({ preventScroll: true });
  }, [isWanted, shown?.wish]);
  if (hidden) return null;
  if (path.length === 0) return <>{children}</>;
  const isBox = schema.type === 'object' || schema.type === 'array';
  const held = at(context.raw, path);
  const isOther = isBox && held !== undefined && held !== null && (schema.type === 'array') !== Array.isArray(held);
  const found = own(context, path, Boolean((schema as Record<string, unknown>)['x-json']));
  const name = schema.title ?? title(String(path.at(-1)));
  const isItem = typeof path.at(-1) === 'number';
  const inner = (
    <>
      {isOther && <p className="other">Something else stands here: <code>{JSON.stringify(held).slice(0, 120)}</code></p>}
      {children}
      <div id={`${id}__findings`} aria-live="polite"><Findings findings={found} /></div>
    </>
  );
  const state = found[0]?.severity ?? '';
  if (isBox && path.length === 1 && GROUPS.some(([, names]) => names.length === 1 && names[0] === path[0])) {
    return <div ref={box} className={`field ${state}`} data-pointer={place}>{inner}</div>;
  }
  if (isBox) {
    return (
      <fieldset ref={box as never} className={`field box ${state}`} data-pointer={place}>
        <legend>{isItem ? `${Number(path.at(-1)) + 1}` : name}</legend>
        {rawDescription && !isItem && <p className="about">{rawDescription}</p>}
        {inner}
      </fieldset>
    );
  }
  return (
    <div ref={box} className={`field ${state}`} data-pointer={place}>
      <label htmlFor={id} title={rawDescription} className={isItem ? 'hidden' : ''}>{isItem ? `${label} ${String(path.at(-1))}` : name}</label>
      {inner}
    </div>
  );
}

function Fields(props: ObjectFieldTemplateProps<unknown, RJSFSchema, Context>) {
  const { properties, fieldPathId, registry } = props;
  if (fieldPathId.path.length > 0) return <div className="fields">{properties.map(({ content }) => content)}</div>;
  const context = registry.formContext;
  return (
    <>
      {GROUPS.map(([name, members]) => {
        const found = members.flatMap((member) => own(context, [member], true));
        const isUsed = members.some((member) => at(context.raw, [member]) !== undefined);
        return (
          <details className="group" key={name} open={isUsed || found.length > 0 || name === 'What' || undefined}>
            <summary>{name}{!isUsed && <span className="dim"> empty</span>}</summary>
            <div className="fields">{members.map((member) => properties.find(({ name }) => name === member)?.content)}</div>
          </details>
        );
      })}
    </>
  );
}

function List({ items, canAdd, onAddClick, fieldPathId }: ArrayFieldTemplateProps<unknown, RJSFSchema, Context>) {
  return (
    <div className="list">
      {items}
      {canAdd && <button type="button" className="quiet" onClick={onAddClick}>+ add to {title(String(fieldPathId.path.at(-1)))}</button>}
    </div>
  );
}

function ListItem({ children, buttonsProps, hasToolbar, index }: ArrayFieldItemTemplateProps<unknown, RJSFSchema, Context>) {
  return (
    <div className="item">
      <div className="grow">{children}</div>
      {hasToolbar && <button type="button" className="quiet icon" aria-label={`remove item ${index + 1}`} onClick={buttonsProps.onRemoveItem}>✕</button>}
    </div>
  );
}

const LONG = /prompt|Rules|rules/i;

/** One value: a word of a set, text, a number, yes or no, or JSON where anything may stand. */
function Scalar({ fieldPathId, formData, onChange, schema, registry, name }: FieldProps<unknown, RJSFSchema, Context>) {
  const { $id: id, path } = fieldPathId;
  const about = `${id}__findings`;
  const more = schema as Record<string, unknown>;
  const isWrong = own(registry.formContext, path, false).some(({ severity }) => severity === 'error');
  const common = { id, 'aria-describedby': about, 'aria-invalid': isWrong };
  const put = (value: unknown) => onChange(value, path);
  const words = more['x-words'] as Word[] | undefined;
  if (schema.type === 'boolean') {
    return <Choice common={common} value={formData} put={(word) => put(word === undefined ? undefined : word === 'true')} words={[{ word: 'true', about: 'yes' }, { word: 'false', about: 'no' }]} />;
  }
  if (words) return <Choice common={common} value={formData} put={put} words={words} />;
  if (more['x-json']) return <JsonValue common={common} value={formData} put={put} />;
  const isNumber = schema.type === 'number' || schema.type === 'integer';
  if (isNumber || more['x-scalar']) {
    return <NumberText common={common} value={formData} put={put} isNumber={isNumber} isId={more['x-type'] !== 'Seed'} />;
  }
  const text = formData === undefined ? '' : typeof formData === 'string' ? formData : JSON.stringify(formData);
  const write = (text: string) => put(text === '' && typeof path.at(-1) !== 'number' ? undefined : text);
  if (LONG.test(name) || LONG.test(String(path.at(-2)))) {
    const rows = Math.min(8, Math.max(text === '' ? 1 : 2, Math.ceil(text.length / 44)));
    return <textarea {...common} value={text} rows={rows} onChange={({ target }) => write(target.value)} />;
  }
  return <input {...common} type="text" value={text} onChange={({ target }) => write(target.value)} spellCheck={false} />;
}

interface Common {
  id: string;
  'aria-describedby': string;
  'aria-invalid': boolean;
}

function Choice({ common, value, put, words }: { common: Common; value: unknown; put: (word: string | undefined) => void; words: Word[] }) {
  const text = value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  const known = words.find(({ word }) => word === text);
  return (
    <>
      <select {...common} value={text} onChange={({ target }) => put(target.value === '' ? undefined : target.value)}>
        <option value="">—</option>
        {text !== '' && !known && <option value={text}>{text} (not known)</option>}
        {words.map(({ word }) => <option key={word} value={word}>{word.replaceAll('_', ' ')}</option>)}
      </select>
      {known?.about && <span className="about">{known.about}</span>}
    </>
  );
}

/** A number as one types it: what is none yet is kept as text, with its finding. */
function NumberText({ common, value, put, isNumber, isId }: { common: Common; value: unknown; put: (value: unknown) => void; isNumber: boolean; isId: boolean }) {
  const shown = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const [typed, setTyped] = useState(shown);
  useEffect(() => {
    // `5.` and `5.0` are 5 while one goes on typing.
    if (meant(typed, isNumber, isId) !== value) setTyped(shown);
  }, [shown]);
  return (
    <input
      {...common}
      type="text"
      inputMode={isNumber ? 'decimal' : 'text'}
      value={typed}
      onChange={({ target }) => {
        setTyped(target.value);
        put(meant(target.value, isNumber, isId));
      }}
      spellCheck={false}
    />
  );
}

function meant(typed: string, isNumber: boolean, isId: boolean): unknown {
  const text = typed.trim();
  if (text === '') return undefined;
  if (isNumber && /^-?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) return Number(text);
  // A seed of digits is a number; an id is a text.
  if (!isNumber && !isId && /^-?(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  return typed;
}

/** Any JSON; what cannot be read is kept in the field and told, and does not reach the document. */
function JsonValue({ common, value, put }: { common: Common; value: unknown; put: (value: unknown) => void }) {
  const shown = value === undefined ? '' : JSON.stringify(value, undefined, 2);
  const [typed, setTyped] = useState(shown);
  const [wrong, setWrong] = useState('');
  const note = useId();
  useEffect(() => {
    if (JSON.stringify(parse(typed).value) !== JSON.stringify(value)) {
      setTyped(shown);
      setWrong('');
    }
  }, [shown]);
  const write = (text: string) => {
    setTyped(text);
    const { value, wrong } = parse(text);
    setWrong(wrong ?? '');
    if (wrong === undefined) put(value);
  };
  return (
    <>
      <textarea {...common} aria-describedby={`${common['aria-describedby']} ${note}`} className="mono" rows={Math.min(10, typed.split('\n').length)} value={typed} spellCheck={false} placeholder="{ }" onChange={({ target }) => write(target.value)} />
      <span id={note} className="wrong">{wrong}</span>
    </>
  );
}

function parse(text: string): { value?: unknown; wrong?: string } {
  if (text.trim() === '') return {};
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { wrong: `no JSON yet: ${error instanceof Error ? error.message : String(error)}` };
  }
}
