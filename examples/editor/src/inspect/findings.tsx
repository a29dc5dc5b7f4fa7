import type { Finding } from 'onepath';

import { editor } from '../editor';
import { fix } from '../scene/fix';
import { Found } from '../ui/findings';

/** Findings at their place, each with what can be done at once. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  return findings.map((finding, index) => <WithFix key={`${finding.code}${finding.pointer}${index}`} finding={finding} />);
}

function WithFix({ finding }: { finding: Finding }) {
  const ready = fix(finding, editor.state.get().view?.value);
  return (
    <div className="with-fix">
      <Found finding={finding} />
      {ready && <button type="button" className="fix" onClick={() => editor.apply(ready.edits)}>{ready.label}</button>}
    </div>
  );
}
