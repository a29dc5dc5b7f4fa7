// The HTTP API as a page: everything is made of /openapi.json, and every text is set as text.
'use strict';

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];

/** An element with properties and children; children are elements or texts. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== undefined && child !== ''));
  return element;
}

let api;

/** What a reference leads to. */
function follow(value) {
  let found = value;
  while (found && found.$ref) {
    found = found.$ref.slice(2).split('/').reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], api);
  }
  return found ?? {};
}

/** A schema in a few words. */
function words(schema) {
  const name = schema.$ref?.split('/').pop();
  const real = follow(schema);
  if (real.const !== undefined) return JSON.stringify(real.const);
  if (real.enum) return real.enum.map((word) => JSON.stringify(word)).join(' | ');
  const choices = real.oneOf ?? real.anyOf;
  if (choices) {
    const parts = choices.map((choice) => words(choice));
    return name && parts.length > 6 ? name : [...new Set(parts)].filter((part) => part !== 'null').join(' | ');
  }
  const type = [real.type].flat().filter((word) => word && word !== 'null').join(' | ');
  if (type === 'array') return `list of ${words(real.items ?? {})}`;
  return name ?? (type || 'anything');
}

/** The members of an object, each opened when it is asked for. */
function members(schema) {
  const real = follow(schema);
  const inner = real.properties ?? follow((real.anyOf ?? real.oneOf ?? []).find((one) => follow(one).properties) ?? {}).properties;
  const listed = real.items && follow(real.items).properties ? follow(real.items).properties : undefined;
  const all = Object.entries(inner ?? listed ?? {});
  const required = new Set(real.required ?? []);
  return all.map(([name, member]) => {
    const about = member.description ?? follow(member).description ?? '';
    const line = [make('code', { textContent: name }), ` ${words(member)}${required.has(name) ? ', required' : ''} `, make('span', { className: 'soft', textContent: about })];
    const deep = follow(member);
    const more = deep.properties || (deep.items && follow(deep.items).properties) || (deep.anyOf ?? deep.oneOf ?? []).some((one) => follow(one).properties);
    if (!more) return make('div', {}, ...line);
    const box = make('details', {}, make('summary', {}, ...line));
    box.addEventListener('toggle', () => { if (box.childElementCount === 1) box.append(...members(member)); }, { once: true });
    return box;
  });
}

function parameters(operation) {
  const all = operation.parameters ?? [];
  if (all.length === 0) return '';
  const rows = all.map((one) => make('tr', {},
    make('td', {}, make('code', { textContent: one.name })),
    make('td', { textContent: one.in + (one.required ? ', required' : '') }),
    make('td', { textContent: words(one.schema) }),
    make('td', { textContent: one.description ?? '' })));
  return make('table', {}, make('tbody', {}, ...rows));
}

function responses(operation) {
  return Object.entries(operation.responses).map(([status, response]) => {
    const real = follow(response);
    const parts = Object.entries(real.content ?? {}).map(([type, { schema }]) => {
      const inner = members(schema ?? {});
      const title = [`${type}: ${words(schema ?? {})}`];
      return inner.length > 0 ? make('details', {}, make('summary', {}, ...title), ...inner) : make('div', { className: 'soft' }, ...title);
    });
    return make('div', {}, make('strong', { textContent: status }), ` ${real.description ?? ''}`, ...parts);
  });
}

/** A call as a line for a shell. */
function curl(method, path, operation, body) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  let line = `curl -i ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}${quote(location.origin + path)}`;
  if (operation.security.length > 0) line += ' -H "Authorization: Bearer $KEY"';
  if (body) line += ` \\\n  -H 'Content-Type: application/json' -d ${quote(body)}`;
  return line;
}

/** A form that makes the call. */
function form(method, path, operation) {
  const inputs = (operation.parameters ?? []).map((one) => {
    const input = make('input', { name: one.name, placeholder: words(one.schema), autocomplete: 'off' });
    return { one, input, row: make('tr', {}, make('td', {}, make('label', {}, make('code', { textContent: one.name }), input))) };
  });
  const media = operation.requestBody?.content['application/json'];
  const body = media ? make('textarea', { spellcheck: false, ariaLabel: 'body', value: JSON.stringify(media.example ?? {}, null, 2) }) : undefined;
  const shell = make('pre');
  const out = make('pre', { hidden: true });
  const target = () => {
    let real = path;
    const query = new URLSearchParams();
    for (const { one, input } of inputs) {
      if (input.value === '') continue;
      if (one.in === 'path') real = real.replace(`{${one.name}}`, encodeURIComponent(input.value));
      if (one.in === 'query') query.append(one.name, input.value);
    }
    return query.size > 0 ? `${real}?${query}` : real;
  };
  const show = () => { shell.textContent = curl(method, target(), operation, body?.value); };
  const send = async () => {
    const headers = {};
    const key = document.getElementById('key').value;
    if (key) headers.authorization = `Bearer ${key}`;
    for (const { one, input } of inputs) if (one.in === 'header' && input.value) headers[one.name] = input.value;
    if (body) headers['content-type'] = 'application/json';
    out.hidden = false;
    out.textContent = '…';
    try {
      const response = await fetch(target(), { method: method.toUpperCase(), headers, body: body?.value });
      const type = response.headers.get('content-type') ?? '';
      let text = type.includes('json') || type.startsWith('text/') ? await response.text() : `${(await response.blob()).size} bytes of ${type}`;
      if (type.includes('json')) text = JSON.stringify(JSON.parse(text), null, 2);
      const told = ['location', 'etag', 'link', 'retry-after', 'ratelimit'].map((name) => [name, response.headers.get(name)]).filter(([, value]) => value);
      out.textContent = [`${response.status} ${type}`, ...told.map(([name, value]) => `${name}: ${value}`), '', text].join('\n');
    } catch (error) {
      out.textContent = String(error);
    }
  };
  const box = make('details', {}, make('summary', { textContent: 'Try it' }),
    ...(inputs.length > 0 ? [make('table', {}, make('tbody', {}, ...inputs.map(({ row }) => row)))] : []),
    ...(body ? [body] : []), shell, make('button', { type: 'button', textContent: 'Send', onclick: send }), out);
  box.addEventListener('input', show);
  show();
  return box;
}

function section(method, path, operation) {
  const media = operation.requestBody?.content['application/json'];
  const stream = operation.tags[0] === 'events';
  return make('section', { id: operation.operationId },
    make('h3', {}, make('span', { className: 'method', textContent: method.toUpperCase() }), make('code', { textContent: path })),
    make('p', { textContent: operation.summary }),
    parameters(operation),
    ...(media ? [make('details', {}, make('summary', { textContent: `Body: ${words(media.schema)}` }), ...members(media.schema))] : []),
    make('details', {}, make('summary', { textContent: 'Answers' }), ...responses(operation)),
    stream ? make('pre', { textContent: curl(method, path, operation) }) : form(method, path, operation));
}

async function start() {
  const response = await fetch('/openapi.json');
  if (!response.ok) throw new Error(`/openapi.json: ${response.status}`);
  api = await response.json();
  document.getElementById('version').textContent = api.info.version;
  const index = document.getElementById('index');
  const main = document.getElementById('operations');
  const all = Object.entries(api.paths).flatMap(([path, methods]) => METHODS.filter((method) => methods[method]).map((method) => [method, path, methods[method]]));
  main.replaceChildren();
  for (const tag of api.tags) {
    const mine = all.filter(([, , operation]) => operation.tags[0] === tag.name);
    if (mine.length === 0) continue;
    index.append(make('h2', { textContent: tag.name }));
    for (const [method, path, operation] of mine) {
      index.append(make('a', { href: `#${operation.operationId}` }, make('span', { className: 'method', textContent: method.toUpperCase() }), path.replace('/api/v1', '')));
      main.append(section(method, path, operation));
    }
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

start().catch((error) => {
  document.getElementById('operations').replaceChildren(make('p', { className: 'wrong', textContent: `The page could not be made: ${error.message}` }));
});
