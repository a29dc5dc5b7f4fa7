import { ApiError, ConnectionError } from 'onepath/client';

/** Why a call of the server failed, with the fields it names. */
export function Trouble({ error }: { error: unknown }) {
  if (error instanceof ApiError) {
    return (
      <div className="trouble" role="alert" data-code={error.code}>
        <strong>{error.code}</strong> {error.message}
        {error.errors.length > 0 && (
          <ul>
            {error.errors.map(({ pointer, detail, message, code }, index) => (
              <li key={index}><code>{pointer || 'the whole'}</code> {detail ?? message}{code && <span className="dim"> {code}</span>}</li>
            ))}
          </ul>
        )}
        {error.retryAfter !== undefined && <p>Worth another try in {error.retryAfter} seconds.</p>}
      </div>
    );
  }
  const text = error instanceof ConnectionError ? `The server cannot be reached: ${error.message}` : error instanceof Error ? error.message : String(error);
  return <div className="trouble" role="alert">{text}</div>;
}
