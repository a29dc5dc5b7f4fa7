import { useState } from 'react';

export function Copy({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('copied');
    } catch {
      setSaid('the browser does not allow it');
    }
    setTimeout(() => setSaid(''), 1_500);
  };
  return (
    <button type="button" className="quiet small" aria-label={label} onClick={() => void copy()}>
      <span role="status">{said || 'copy'}</span>
    </button>
  );
}
