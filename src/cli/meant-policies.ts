import type { PolicyDocument, ReadDocuments } from '../policy/document/document.ts';
import { nearestName } from '../policy/nearest.ts';
import { isJsonObject } from '../policy/plain-json.ts';

/** Ending of the files with tests of policies, which lie beside them (docs/policy-tests.md). */
export const TEST_FILE = /[._]test\.ya?ml$/;

/**
 * Of a file that nobody named, but that lay in a folder with policies: what was meant as a policy. Folders hold package.json, Chart.yaml,
 * values.yaml and templates of charts; what is wrong there is not ours to say. All of it counts as skipped.
 */
export function onlyMeantPolicies(read: ReadDocuments, bytes: Uint8Array): ReadDocuments {
  const isMention = mentionsPolicies(bytes);
  const isMeant = (document: PolicyDocument): boolean => (isMention ? !isSchema(document) : isNearlyPolicy(document));
  const others = read.documents.filter((document) => !isMeant(document));
  return {
    ...read,
    documents: read.documents.filter(isMeant),
    problems: isMention ? read.problems : [],
    skipped: [
      ...read.skipped,
      ...others.map(({ source, text }) => ({ source, line: text.firstLine, kind: 'an object without a kind' })),
      ...(isMention ? [] : read.problems.map(({ source, region }) => ({ source, line: region.line, kind: 'a text that is no YAML' }))),
    ],
  };
}

function mentionsPolicies(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('TracingPolicy');
}

/** A JSON Schema, such as those that editors check policies with: it mentions all that a policy may have. */
function isSchema({ object }: PolicyDocument): boolean {
  return (
    isJsonObject(object) && typeof object['$schema'] === 'string' && object['kind'] === undefined && object['apiVersion'] === undefined
  );
}

/** An object whose kind or version is misspelt was meant as a policy. */
function isNearlyPolicy({ object }: PolicyDocument): boolean {
  if (!isJsonObject(object)) return false;
  const { apiVersion, kind } = object;
  const hasVersion = typeof apiVersion === 'string' && apiVersion.startsWith('cilium.io/');
  return hasVersion || (typeof kind === 'string' && nearestName(kind, ['TracingPolicy', 'TracingPolicyNamespaced']) !== undefined);
}
