/** The schema of a config as a form wants it: one plain type a field, and the blocks of providers. */

import type { RJSFSchema } from '@rjsf/utils';
import { generationOperations, providers, type ProviderInfo } from 'onepath';
import config from 'onepath/schema/generation-node-config.schema.json';

import { isObject, plain } from '../scene/pointer';

type Schema = Record<string, unknown>;

const definitions = config.$defs as unknown as Record<string, Schema>;

/** Words that a field takes, with what each means. */
export interface Word {
  word: string;
  about: string | undefined;
}

/** A schema without references, without `null` and `''` (both mean absent), and without choices of types. */
function simple(schema: Schema): Schema {
  const about = schema['description'];
  const described = (more: Schema): Schema => ({ ...more, ...(about === undefined ? {} : { description: about }) });
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? '';
    return { ...simple(definitions[name] ?? {}), ...described({}), 'x-type': name };
  }
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (choices) {
    const real = choices.filter((choice) => choice['type'] !== 'null' && choice['const'] !== '');
    if (real.every((choice) => 'const' in choice)) {
      const words = real.map((choice): Word => ({ word: String(choice['const']), about: choice['description'] as string | undefined }));
      return described({ type: 'string', 'x-words': words });
    }
    // Text or a number: shown as text.
    return real.length === 1 ? { ...simple(real[0]!), ...described({}) } : described({ type: 'string', 'x-scalar': true });
  }
  const type = Array.isArray(schema['type']) ? schema['type'].find((type) => type !== 'null') : schema['type'];
  if (type === 'object') {
    const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
    if (properties.length === 0) return described({ type: 'string', 'x-json': true });
    return described({ type, properties: Object.fromEntries(properties.map(([name, property]) => [name, simple(property)])) });
  }
  if (type === 'array') return described({ type, items: simple((schema['items'] ?? {}) as Schema) });
  if (type === undefined) return described({ type: 'string', 'x-json': true });
  return described({ type });
}

const base = simple(config as unknown as Schema) as { properties: Record<string, Schema> };
delete base.properties['$schema'];

/** The block of a provider, by what it declares. */
function block({ parameters, id }: ProviderInfo, operation: string | undefined): Schema {
  // A name may be declared once for each operation.
  const fitting = (parameters ?? []).filter(({ operations }) => !operations || !operation || (operations as string[]).includes(operation));
  const properties = fitting.map((parameter) => {
    const words = parameter.enum?.every((value) => typeof value === 'string') ? { 'x-words': parameter.enum.map((word) => ({ word })) } : {};
    const type = { text: 'string', integer: 'integer', number: 'number', boolean: 'boolean' }[parameter.type ?? 'text'];
    const range = [parameter.min, parameter.max].some((end) => end !== undefined) ? ` ${parameter.min ?? ''} to ${parameter.max ?? ''}.` : '';
    const preset = parameter.default === undefined ? '' : ` ${JSON.stringify(parameter.default)} if absent.`;
    return [parameter.name, { type, description: `${parameter.description ?? ''}${range}${preset}`, ...words }];
  });
  return { type: 'object', title: `settings of ${id}`, properties: Object.fromEntries(properties) };
}

/** The schema of the form for a config with these blocks in its style. */
export function formSchema(value: unknown, provider: string): RJSFSchema {
  const style = isObject(value) && isObject(value['style']) ? Object.keys(value['style']) : [];
  const known = base.properties['style']?.['properties'] as Record<string, Schema>;
  const names = new Set([...style.filter((name) => !(plain(name) in known)), ...(provider === '' ? [] : [provider])]);
  const infos = providers();
  const type = isObject(value) ? (value['generationType'] ?? value['generation_type']) : undefined;
  const operation = generationOperations().find((row) => row.generation_type === type)?.operation;
  const blocks = [...names].map((name) => {
    const info = infos.find(({ id }) => id === name);
    return [name, info ? block(info, operation) : { type: 'string', 'x-json': true, title: `settings of ${name}` }];
  });
  const properties = { ...base.properties, style: { ...base.properties['style'], properties: { ...known, ...Object.fromEntries(blocks) } } };
  return { type: 'object', properties } as RJSFSchema;
}

/** What of a value the form can hold: what is of another shape than the schema says stays out. */
export function fit(schema: Schema, value: unknown): unknown {
  if (schema['x-json'] || value === undefined || value === null) return value ?? undefined;
  if (schema['type'] === 'object') {
    if (!isObject(value)) return undefined;
    const properties = schema['properties'] as Record<string, Schema>;
    const spelled = new Map(Object.keys(value).map((name) => [name in properties ? name : plain(name), name]));
    return Object.fromEntries(
      Object.entries(properties).flatMap(([name, property]) => {
        const held = fit(property, value[spelled.get(name) ?? name]);
        return held === undefined ? [] : [[name, held]];
      }),
    );
  }
  if (schema['type'] === 'array') return Array.isArray(value) ? value.map((item) => fit(schema['items'] as Schema, item) ?? '') : undefined;
  return value;
}
