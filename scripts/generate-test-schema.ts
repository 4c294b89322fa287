/**
 * Writes schemas/policytests.json, for editors, from src/policy/policy-tests. `node scripts/generate-test-schema.ts` writes; with `--check`
 * it writes nothing and fails when the committed file differs.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { testFileEditorSchema } from '../src/policy/policy-tests/editor-schema.ts';

const NAME = 'schemas/policytests.json';
const file = new URL(`../${NAME}`, import.meta.url);
const text = `${JSON.stringify(testFileEditorSchema(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, text);
} else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  console.error(`${NAME}: differs from src/policy/policy-tests; run "make generate"`);
  process.exitCode = 1;
}
