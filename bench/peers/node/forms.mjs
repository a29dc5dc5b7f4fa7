// What an editor does at each keystroke, by the npm package and by its judges: the same in Node and
// in a browser.
//
// `resident` forms change one field of a document that lives in the module and ask for the answer;
// the others get plain values.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { Document, fingerprint, isGenerationNodeValid } from 'onepath';
import { buildRequest, fingerprint as fingerprintInJs } from './build.mjs';

/** The forms over the lines of a payload; `compile` gives the compiled schema of a name. */
export function forms(lines, compile) {
  const values = lines.map((line) => JSON.parse(line));
  const isConfig = compile('config');
  const isOptions = compile('options');

  /** What a browser can do without waiting. */
  const noble = (text) => bytesToHex(sha256(utf8ToBytes(text)));

  const documents = lines.map((line) => new Document(line));
  let turn = 0;

  /** Another number at the same place: what a slider does. */
  const slide = () => 5 + (++turn % 7) / 2;

  return {
    'keystroke-ajv': {
      inputs: values,
      run: (value) => {
        value.config.duration.target = slide();
        return isConfig(value.config);
      },
    },
    'keystroke-onepath-resident': {
      inputs: documents,
      run: (document) => {
        document.set('/config/duration/target', slide());
        return document.findings();
      },
    },
    'keystroke-onepath-value': {
      inputs: values,
      run: (value) => {
        value.config.duration.target = slide();
        return isGenerationNodeValid(value.config);
      },
    },
    'print-onepath-resident': {
      inputs: documents,
      run: (document) => {
        document.set('/config/duration/target', slide());
        return document.fingerprint();
      },
    },
    'print-onepath-value': { inputs: values, run: ({ config, options }) => fingerprint(config, options) },
    'print-ajv-noble': {
      inputs: values,
      run: ({ config, options }) => {
        if (!isConfig(config) || !isOptions(options)) throw new Error('not valid');
        return fingerprintInJs(buildRequest(config, options), canonicalize, noble);
      },
    },
  };
}
