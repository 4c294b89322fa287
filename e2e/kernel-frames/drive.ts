/**
 * Writes the frames that bring policies into a kernel, for the loader's `drive` subcommand: HELLO, BEGIN, HOOK, DATA, NODE, COMMIT, one
 * after the other. Gives loader and engine real tables without an agent.
 *
 *   node e2e/kernel-frames/drive.ts --out FILE [--generation N] [--release R] [--no-lsm] POLICY.yaml…
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { ABI_HASH } from '../../src/abi/layout.ts';
import { EMPTY_ALLOCATION } from '../../src/linker/allocation.ts';
import { link } from '../../src/linker/link.ts';
import type { LinkPolicy } from '../../src/linker/link-input.ts';
import {
  beginRequest,
  COMMIT_REQUEST,
  dataRequests,
  hookRequest,
  type LoaderRequest,
  nodeRequests,
  scopeDataRequests,
} from '../../src/nodeagent/loader/generation-requests.ts';
import { compile } from '../../src/policy/compile.ts';
import { FACTS, type KernelFacts } from '../../src/policy/kernel-facts.ts';
import { parse } from '../../src/policy/parse.ts';
import { formatProblem } from '../../src/policy/problem.ts';
import { encodeFrame, LOADER_OPS, u64Tlv } from '../../src/protocol/loader-frames.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, generation: { type: 'string', default: '1' }, 'no-lsm': { type: 'boolean', default: false } },
});
if (values.out === undefined || positionals.length === 0)
  throw new Error('usage: drive.ts --out FILE [--generation N] [--no-lsm] POLICY.yaml…');

const facts = Object.fromEntries(Object.keys(FACTS).map((name) => [name, true]));
const kernel: KernelFacts = {
  release: 'drive',
  arch: 'x86_64',
  lsm: values['no-lsm'] ? [] : ['bpf'],
  preempt: 'none',
  facts,
  catalogue: null,
};
const policies = positionals.flatMap(readPolicies);
const node = link({
  policies,
  kernel,
  hostNamespaces: [],
  prototypes: new Map(),
  pods: [],
  allocation: EMPTY_ALLOCATION,
  unusable: new Map(),
});
for (const problem of node.problems) process.stderr.write(`${problem.uid}: ${problem.path}: ${problem.reason}: ${problem.message}\n`);

const requests: LoaderRequest[] = [
  { op: 'HELLO', tlvs: [u64Tlv('ABI', ABI_HASH)] },
  beginRequest(Number(values.generation), node.label),
  ...node.hooks.flatMap((hook) => [hookRequest(hook), ...dataRequests(hook), ...scopeDataRequests(hook, new Map())]),
  ...nodeRequests(node.binarySets),
  COMMIT_REQUEST,
];
const frames = requests.map((request, i) => encodeFrame({ op: LOADER_OPS[request.op], flags: 0, id: i + 1, tlvs: request.tlvs }));
writeFileSync(values.out, Buffer.concat(frames));
for (const hook of node.hooks)
  process.stdout.write(
    `${hook.id} ${hook.name} ${hook.methods.join(' ')} ${hook.members.map((member) => `${member.uid} ${member.path}`).join(', ')}\n`,
  );

function readPolicies(file: string): LinkPolicy[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document, i) => {
    const parsed = parse(document.toJS());
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    const compiled = compile(parsed.value);
    if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
    const { kind, namespace, name } = parsed.value;
    const { plan, digest, mode } = compiled.value;
    return { ref: { kind, namespace, name, uid: `${file}#${i}`, generation: 1 }, digest, plan, mode };
  });
}
