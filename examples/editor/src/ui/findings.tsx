import type { Finding, Severity } from 'onepath';
import { explainCode } from 'onepath/codes';

const ORDER: Severity[] = ['error', 'warning', 'suggestion'];
const SIGN = { error: '✕', warning: '!', suggestion: 'i', ok: '✓' };

export function worst(findings: readonly Finding[]): Severity | 'ok' {
  return ORDER.find((severity) => findings.some((finding) => finding.severity === severity)) ?? 'ok';
}

/** How many findings, and how bad: by sign and words, not by color alone. */
export function Mark({ findings }: { findings: readonly Finding[] }) {
  const state = worst(findings);
  if (state === 'ok') return null;
  const count = findings.filter(({ severity }) => severity === state).length;
  return (
    <span className={`mark ${state}`} title={`${count} ${state}${count > 1 ? 's' : ''}`}>
      <Sign state={state} /> {count}
    </span>
  );
}

export function Sign({ state }: { state: Severity | 'ok' }) {
  return (
    <span className={`sign ${state}`} aria-hidden="true">
      {SIGN[state]}
    </span>
  );
}

/** One finding with what to do about it. */
export function Found({ finding, id }: { finding: Finding; id?: string }) {
  const { severity, code, message, help } = finding;
  return (
    <div className={`found ${severity}`} id={id} data-code={code} data-pointer={finding.pointer}>
      <Sign state={severity} />
      <div>
        <span className="hidden">{severity}: </span>
        {message}
        {help && <div className="help">{help}</div>}
        <details className="code">
          <summary>{code}</summary>
          <p>{explainCode(code)?.explanation ?? 'No more is known about it.'}</p>
        </details>
      </div>
    </div>
  );
}
