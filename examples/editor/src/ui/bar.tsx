import { providers, type Rating } from 'onepath';
import { useEffect } from 'react';

import { editor } from '../editor';
import { at } from '../scene/pointer';
import { useObserved } from './observed';
import { theme, toggleTheme } from './theme';

const RATINGS: Rating[] = ['sfw', 'romantic', 'mature_implied', 'restricted'];

export function Bar({ open }: { open: () => void }) {
  const { file, view, provider, world, user, templatesName } = useObserved(editor.state);
  const connection = useObserved(editor.server.connection);
  const mode = useObserved(theme);
  useEffect(() => {
    // What the server can carry out is the likely wish.
    const first = connection.providers[0];
    if (connection.state === 'ready' && first && editor.state.get().provider === '') editor.set({ provider: String(first.id) });
  }, [connection]);
  const known = [...new Set([...connection.providers, ...providers()].map(({ id }) => String(id)))];
  const own = (...place: string[]) => {
    const rating = at(view?.value, place);
    return typeof rating === 'string' ? rating : undefined;
  };
  return (
    <header className="bar">
      <div className="brand"><img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width="24" height="24" /> onepath</div>
      <div className="file" title={templatesName && `with the templates of ${templatesName}`}>
        {file ? <><strong>{file.name}</strong>{view?.isChanged && <span className="changed" role="status"> edited</span>}</> : <span className="dim">no file</span>}
      </div>
      <div className="buttons">
        <button type="button" onClick={open} aria-keyshortcuts="Control+O">Open…</button>
        <button type="button" disabled={!view?.isChanged} onClick={() => void editor.save()} aria-keyshortcuts="Control+S">Save</button>
        <button type="button" disabled={!view?.canUndo} onClick={() => editor.undo()} aria-label="undo" aria-keyshortcuts="Control+Z">↶</button>
        <button type="button" disabled={!view?.canRedo} onClick={() => editor.redo()} aria-label="redo" aria-keyshortcuts="Control+Shift+Z">↷</button>
      </div>
      <div className="context">
        <label>provider <select id="provider" value={provider} onChange={({ target }) => editor.set({ provider: target.value })}>
          <option value="">none</option>
          {known.map((id) => <option key={id} value={id}>{id}</option>)}
        </select></label>
        <Bound name="world" declared={own('world', 'meta', 'generation', 'maxContentRating')} value={world} put={(world) => editor.set({ world })} />
        <Bound name="user" declared={own('user', 'maxContentRating')} value={user} put={(user) => editor.set({ user })} />
      </div>
      <span className={`server ${connection.state}`}><span className="dot" aria-hidden="true" /> {{ asking: 'looking…', absent: 'no server', 'no-key': 'key wanted', refused: 'key refused', ready: 'server ready' }[connection.state]}</span>
      <button type="button" className="quiet icon" onClick={toggleTheme} aria-label={mode === 'dark' ? 'light colors' : 'dark colors'}>{mode === 'dark' ? '☀' : '☾'}</button>
    </header>
  );
}

/** A bound on top of what the file declares: it only ever lowers. */
function Bound({ name, declared, value, put }: { name: string; declared: string | undefined; value: Rating | undefined; put: (rating: Rating | undefined) => void }) {
  return (
    <label>{name} ≤ <select id={`bound-${name}`} value={value ?? ''} title={`lowers what the ${name} allows; the file declares ${declared ?? 'nothing'}`} onChange={({ target }) => put(target.value === '' ? undefined : (target.value as Rating))}>
      <option value="">{declared ?? 'romantic'} {declared ? '(file)' : '(default)'}</option>
      {RATINGS.map((rating) => <option key={rating} value={rating}>{rating}</option>)}
    </select></label>
  );
}
