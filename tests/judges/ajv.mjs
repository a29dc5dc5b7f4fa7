// Ajv judges the corpus that our readers judged: usage `node ajv.mjs SCHEMAS CORPUS SCENES`.
// Every disagreement is printed; the closing line counts each draft as one test.
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";

const [schemas, corpus, scenes] = process.argv.slice(2);

function fileName(kind) {
  return kind.replace(/(?!^)([A-Z])/g, "-$1").toLowerCase() + ".schema.json";
}

const drafts = [
  { name: "2020-12", folder: schemas, ajv: new Ajv2020({ strict: false }), disagreements: 0 },
  { name: "draft-07", folder: join(schemas, "draft-07"), ajv: new Ajv({ strict: false }), disagreements: 0 },
];
for (const draft of drafts) {
  draft.validators = new Map();
  draft.validator = (kind) => {
    if (!draft.validators.has(kind)) {
      const schema = JSON.parse(readFileSync(join(draft.folder, fileName(kind)), "utf8"));
      draft.validators.set(kind, draft.ajv.compile(schema));
    }
    return draft.validators.get(kind);
  };
}

let documents = 0;
for await (const line of createInterface({ input: createReadStream(corpus) })) {
  const { kind, valid, value } = JSON.parse(line);
  documents += 1;
  for (const draft of drafts) {
    if (draft.validator(kind)(value) !== valid) {
      draft.disagreements += 1;
      if (draft.disagreements <= 5) {
        console.log(`${draft.name} ${kind}: reader says ${valid}: ${JSON.stringify(value).slice(0, 400)}`);
      }
    }
  }
}
for (const name of readdirSync(scenes).filter((name) => name.endsWith(".json"))) {
  const value = JSON.parse(readFileSync(join(scenes, name), "utf8"));
  if (!String(value.$schema).includes("scene-file")) continue;
  for (const draft of drafts) {
    if (!draft.validator("SceneFile")(value)) {
      draft.disagreements += 1;
      console.log(`${draft.name} ${name}: ${JSON.stringify(draft.validator("SceneFile").errors)}`);
    }
  }
}
const failed = drafts.filter((draft) => draft.disagreements > 0).length;
console.log(`ajv judged ${documents} documents by ${drafts.length} drafts`);
console.log(`test result: ${failed ? "FAILED" : "ok"}. ${drafts.length - failed} passed; ${failed} failed`);
process.exit(failed ? 1 : 0);
