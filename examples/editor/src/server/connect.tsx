import { useState } from 'react';

import { editor } from '../editor';
import { useObserved } from '../ui/observed';

/** What one sees without a server, or with one that does not know us. */
export function Connect() {
  const { state } = useObserved(editor.server.connection);
  const [key, setKey] = useState('');
  if (state === 'asking') return <p className="empty" role="status">Looking for the server…</p>;
  if (state === 'absent') {
    return (
      <div className="empty">
        <p>No server answers at this address: checking, hashes and keys work without one, running does not.</p>
        <button type="button" onClick={() => void editor.server.connect()}>Look again</button>
      </div>
    );
  }
  return (
    <form
      className="connect"
      onSubmit={(event) => {
        event.preventDefault();
        void editor.server.connect(key.trim());
      }}
    >
      <p role={state === 'refused' ? 'alert' : undefined}>{state === 'refused' ? 'The server does not know this key, or it was revoked.' : 'The server wants a key: the one that it printed at its start.'}</p>
      <div className="row">
        <label>
          <span>key</span>
          <input type="password" autoComplete="off" value={key} onChange={({ target }) => setKey(target.value)} />
        </label>
        <button type="submit" disabled={key.trim() === ''}>Connect</button>
      </div>
    </form>
  );
}
