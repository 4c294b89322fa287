import * as z from 'zod';
import { PAL_C_COUNT } from '../../../src/abi/layout.ts';
import type { OpenNode } from '../cluster-info.ts';

/** The listing tool of the node. Looking with a tool that is not there would find nothing, too. */
const bpftool = '/usr/bin/bpftool';
const pins = '/sys/fs/bpf/palisade/v[0-9]*/node';

const byteSchema = z.string().regex(/^0x[0-9a-f]{2}$/);
const programSchema = z.looseObject({ id: z.number(), type: z.string(), name: z.string().optional() });
const linkSchema = z.looseObject({ id: z.number(), type: z.string(), prog_id: z.number().optional() });
const wordSchema = z.array(z.looseObject({ key: z.array(byteSchema), value: z.array(byteSchema) }));
const perCpuSchema = z.looseObject({ values: z.array(z.looseObject({ cpu: z.number(), value: z.array(byteSchema) })) });
const allocationSchema = z.looseObject({ policies: z.looseObject({ numbers: z.record(z.string(), z.number()) }) });

/** Names of our programs as the kernel has them (native/bpf). */
const ourProgram = /^(disp|eng|noop|proc|cg|iter)_/;

async function outputOf(node: OpenNode, script: string): Promise<string> {
  const { status, stdout, stderr } = await node.run(['sh', '-ec', script]);
  if (status !== 0) throw new Error(`${node.name}: ${script}: status ${status}: ${stderr.slice(-500)}`);
  return stdout;
}

function numbersOf(bytes: readonly string[], width: 4 | 8): bigint[] {
  const buffer = Buffer.from(bytes.map(Number));
  return Array.from({ length: buffer.length / width }, (_, index) =>
    width === 8 ? buffer.readBigUInt64LE(index * 8) : BigInt(buffer.readUInt32LE(index * 4)),
  );
}

export type LoadedObjects = { readonly programs: readonly string[]; readonly links: readonly string[]; readonly pins: readonly string[] };

/** What of ours is in a node's kernel, by the node's own tools: programs and links from the kernel's tables, pins from its file system. */
export async function loadedObjects(node: OpenNode): Promise<LoadedObjects> {
  const ask = async (what: string): Promise<unknown> => JSON.parse(await outputOf(node, `${bpftool} -j ${what} show`));
  const programs = z.array(programSchema).parse(await ask('prog'));
  const ours = new Map(programs.flatMap(({ id, name }) => (name !== undefined && ourProgram.test(name) ? [[id, name] as const] : [])));
  const links = z.array(linkSchema).parse(await ask('link'));
  return {
    programs: [...ours.values()],
    links: links.flatMap(({ type, prog_id: program }) => (ours.has(program ?? -1) ? [`${type}:${ours.get(program ?? -1) ?? ''}`] : [])),
    pins: (await outputOf(node, 'find /sys/fs/bpf -mindepth 1')).split('\n').filter((line) => line !== ''),
  };
}

/** The listing tool's own version: it is there and runs. */
export async function listingTool(node: OpenNode): Promise<string> {
  return (await outputOf(node, `${bpftool} version`)).split('\n')[0] ?? '';
}

/** The engine's own word: the generation that runs now. Every flip adds one. */
export async function activeGeneration(node: OpenNode): Promise<number> {
  const words = wordSchema.parse(JSON.parse(await outputOf(node, `${bpftool} -j map dump pinned ${pins}/active`)));
  return Number(numbersOf(words[0]?.value ?? [], 4)[0] ?? 0n);
}

/** What the engine has counted for a policy on a node, by PAL_C_*. */
export async function engineCounters(node: OpenNode, uid: string): Promise<readonly bigint[]> {
  const allocation = allocationSchema.parse(JSON.parse(await outputOf(node, 'cat /var/lib/palisade/plans/allocation.json')));
  const number = allocation.policies.numbers[uid];
  if (number === undefined) throw new Error(`${node.name}: policy ${uid} has no number`);
  const key = [0, 8, 16, 24].map((shift) => (number >> shift) & 0xff).join(' ');
  const entry = perCpuSchema.parse(JSON.parse(await outputOf(node, `${bpftool} -j map lookup pinned ${pins}/cnt key ${key}`)));
  const perCpu = entry.values.map(({ value }) => numbersOf(value, 8));
  return Array.from({ length: PAL_C_COUNT }, (_, index) => perCpu.reduce((sum, counters) => sum + (counters[index] ?? 0n), 0n));
}
