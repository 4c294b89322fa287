/**
 * Writes schemas/tracingpolicy.json, for editors, from src/policy/schema. `node scripts/generate-editor-schema.ts` writes; with `--check` it
 * writes nothing and fails when the committed file differs.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { editorSchema } from '../src/policy/crd/editor-schema.ts';

const NAME = 'schemas/tracingpolicy.json';
const file = new URL(`../${NAME}`, import.meta.url);
const text = `${JSON.stringify(editorSchema(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, text);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error(`${NAME}: differs from src/policy/schema; run "make generate"`);
  process.exitCode = 1;
}
