import { useEffect, useMemo, useRef, useState, type DragEvent, type KeyboardEvent } from 'react';

import { editor, type Tab } from './editor';
import { Graph } from './graph/graph';
import { CompareTab } from './inspect/compare';
import { Findings } from './inspect/findings';
import { ConfigForm } from './inspect/form';
import { JsonTab } from './inspect/json';
import { RequestTab } from './inspect/request';
import { PromptTab } from './inspect/prompt';
import { PathPanel } from './path/panel';
import { picker } from './scene/file';
import { named } from './scene/named';
import { RunPanel } from './server/run';
import { Bar } from './ui/bar';
import { Mark, Sign, worst } from './ui/findings';
import { useObserved } from './ui/observed';

export function App() {
  const { view, isOpening, trouble, notice } = useObserved(editor.state);
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setIsOver] = useState(false);
  const open = async () => {
    const ask = picker();
    if (!ask) return input.current?.click();
    try {
      const file = await ask();
      if (file) await editor.open([file]);
    } catch (error) {
      await editor.open([]);
      editor.state.update({ trouble: error instanceof Error ? error.message : String(error) });
    }
  };
  useShortcuts(open);
  useLeaveGuard(view?.isChanged ?? false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setIsOver(false);
    void editor.open(event.dataTransfer.files);
  };
  return (
    <div className={`app ${isOver ? 'over' : ''}`} onDragOver={(event) => { event.preventDefault(); setIsOver(true); }} onDragLeave={() => setIsOver(false)} onDrop={drop}>
      <a className="skip" href="#inspector">to the inspector</a>
      <Bar open={() => void open()} />
      <input ref={input} type="file" accept=".json,application/json" multiple hidden onChange={({ target }) => { void editor.open([...(target.files ?? [])]); target.value = ''; }} />
      <div className="says" aria-live="polite">
        {trouble !== undefined && <div className="trouble" role="alert">{trouble} <button type="button" className="quiet icon" aria-label="close" onClick={() => editor.state.update({ trouble: undefined })}>✕</button></div>}
        {notice !== undefined && <div className="notice">{notice}</div>}
      </div>
      {isOpening ? <main className="welcome"><p role="status">Opening…</p></main> : !view ? <Welcome open={() => void open()} /> : view.value === undefined ? <Broken /> : <Desk />}
    </div>
  );
}

function Welcome({ open }: { open: () => void }) {
  return (
    <main className="welcome">
      <h1>Open a scene file</h1>
      <p>Nodes, edges and findings of <code>examples/scenes/lighthouse.json</code>, a node with its context, or one config. Drop it here, together with a file of templates if there is one.</p>
      <button type="button" className="primary" onClick={open}>Open…</button>
      <p className="dim">The file stays on this machine: it is read, checked and fingerprinted in this page.</p>
    </main>
  );
}

/** A file that is no JSON: its text, to be mended. */
function Broken() {
  const { view } = useObserved(editor.state);
  const [typed, setTyped] = useState(view?.text ?? '');
  return (
    <main className="broken">
      <h1>The file is no JSON yet</h1>
      <Findings findings={view?.report.findings ?? []} />
      <textarea className="mono" aria-label="text of the file" value={typed} spellCheck={false} onChange={({ target }) => { setTyped(target.value); editor.rewrite(target.value); }} />
    </main>
  );
}

const TABS: [Tab, string][] = [['form', 'Form'], ['json', 'JSON'], ['prompt', 'Prompt'], ['request', 'Request'], ['compare', 'Compare']];

function Desk() {
  const { view, selected, tab, provider, shown } = useObserved(editor.state);
  const item = view?.items.find(({ place }) => place === selected);
  const kept = useObserved(editor.prompts.kept);
  const prepared = useMemo(() => (item ? editor.prepare(item) : undefined), [item?.place, item?.name, view, kept]);
  const family = item && named(view, item).family;
  useEffect(() => {
    // Without its versions a family is shown as it is newest.
    if (family !== undefined) editor.prompts.look(family).catch(() => undefined);
  }, [family, kept.templates]);
  if (!view) return null;
  const of = item ? view.report.findings.filter(({ pointer }) => pointer === item.place || pointer.startsWith(`${item.place}/`)) : [];
  return (
    <main className="desk">
      <section className="stage" aria-label="graph">
        <Graph />
        <FindingList />
      </section>
      <section className="inspector" id="inspector" aria-label="inspector" tabIndex={-1}>
        {!item ? (
          <p className="empty">Choose a node or an edge of the graph.</p>
        ) : (
          <>
            <header>
              <div>
                <span className="kind">{item.kind}</span>
                <h2>{item.name}</h2>
              </div>
              <span className={`state ${worst(of)}`}><Sign state={worst(of)} /> {worst(of) === 'ok' ? 'all checks passed' : `${of.length} finding${of.length === 1 ? '' : 's'}`}</span>
            </header>
            <Tabs tab={tab} />
            <div role="tabpanel" id="tabpanel" aria-labelledby={`tab-${tab}`} className="tab">
              {tab === 'form' && <ConfigForm item={item} view={view} provider={provider} shown={shown} />}
              {tab === 'json' && <JsonTab item={item} view={view} />}
              {tab === 'prompt' && <PromptTab item={item} view={view} prepared={prepared} />}
              {tab === 'request' && <RequestTab item={item} view={view} prepared={prepared} />}
              {tab === 'compare' && <CompareTab item={item} view={view} prepared={prepared} />}
            </div>
          </>
        )}
      </section>
      <aside className="side" aria-label="path and run">
        {item && (
          <>
            <section aria-label="run"><h2>Run</h2><RunPanel key={item.place} item={item} prepared={prepared} /></section>
            <section aria-label="path"><h2>Path</h2><PathPanel item={item} view={view} prepared={prepared} /></section>
          </>
        )}
      </aside>
    </main>
  );
}

function Tabs({ tab }: { tab: Tab }) {
  const turn = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const index = TABS.findIndex(([name]) => name === tab);
    const [next] = TABS[(index + step + TABS.length) % TABS.length]!;
    editor.state.update({ tab: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div role="tablist" aria-label="ways to see it" className="tabs" onKeyDown={turn}>
      {TABS.map(([name, label]) => (
        <button key={name} type="button" role="tab" id={`tab-${name}`} aria-controls="tabpanel" aria-selected={tab === name} tabIndex={tab === name ? 0 : -1} onClick={() => editor.state.update({ tab: name })}>{label}</button>
      ))}
    </div>
  );
}

/** Every finding of the file; a click leads to its field. */
function FindingList() {
  const { view } = useObserved(editor.state);
  const findings = view?.report.findings ?? [];
  return (
    <details className="findings" open={findings.length > 0 || undefined}>
      <summary>
        <Sign state={worst(findings)} /> {view?.report.summary} <Mark findings={findings} /> <span className="dim">F8 leads to the next</span>
      </summary>
      <ul>
        {findings.map((finding, index) => (
          <li key={index} data-code={finding.code} data-pointer={finding.pointer}>
            <button type="button" className={`quiet ${finding.severity}`} onClick={() => editor.show(finding.pointer)}>
              <Sign state={finding.severity} />
              <span>{finding.message}</span>
              <code>{finding.pointer || 'the whole file'}</code>
              <span className="dim">{finding.code}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function useShortcuts(open: () => Promise<void>): void {
  useEffect(() => {
    let last = -1;
    const press = (event: globalThis.KeyboardEvent) => {
      const findings = editor.state.get().view?.report.findings ?? [];
      if (event.key === 'F8' && findings.length > 0) {
        event.preventDefault();
        last = (last + (event.shiftKey ? -1 : 1) + findings.length) % findings.length;
        return editor.show(findings[last]!.pointer);
      }
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const does: Record<string, () => unknown> = {
        s: () => editor.save(),
        o: open,
        z: () => (event.shiftKey ? editor.redo() : editor.undo()),
        y: () => editor.redo(),
      };
      const doIt = does[event.key.toLowerCase()];
      if (!doIt) return;
      event.preventDefault();
      void doIt();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}

/** A page with unsaved edits asks before it goes. */
function useLeaveGuard(isChanged: boolean): void {
  useEffect(() => {
    if (!isChanged) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [isChanged]);
}
