/**
 * The linker's numbers on disk. Pinned tables in the kernel go on using them while the agent is away, so they are written before a
 * generation begins.
 */
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { z } from 'zod';
import { type Allocation, EMPTY_ALLOCATION, type NumberSpace, SPACE_BOUNDS, type SpaceName } from '../../linker/allocation.ts';

export type AllocationStore = {
  load(): Allocation;
  /** Resolves when the bytes are on disk; rejects when they cannot be. */
  save(allocation: Allocation): Promise<void>;
};

/** Attach points have at most four engines; who is in the first is not written down. */
const MAX_LANE = 3;

const spaceSchema = z.strictObject({ last: z.int().min(-1), numbers: z.record(z.string().max(512), z.int().min(0)) });
const fileSchema = z.strictObject({
  format: z.literal(1),
  hooks: spaceSchema,
  policies: spaceSchema,
  binarySets: spaceSchema,
  classes: spaceSchema,
  lanes: z.record(z.string().max(1024), z.int().min(1).max(MAX_LANE)).optional(),
});

/** A file that is missing or damaged is an empty allocation: then everything is numbered anew, and every hook is sent. */
export function createAllocationFile(path: string, onDamage: (why: string) => void): AllocationStore {
  return {
    load() {
      let text: string;
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        return EMPTY_ALLOCATION;
      }
      try {
        return readAllocation(text);
      } catch (error) {
        onDamage(error instanceof Error ? error.message : String(error));
        return EMPTY_ALLOCATION;
      }
    },
    async save(allocation) {
      const temporary = `${path}.new`;
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(writeAllocation(allocation));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    },
  };
}

export function writeAllocation(allocation: Allocation): string {
  const plain = (space: NumberSpace): z.infer<typeof spaceSchema> => ({ last: space.last, numbers: Object.fromEntries(space.numbers) });
  const { hooks, policies, binarySets, classes, lanes } = allocation;
  return JSON.stringify({
    format: 1,
    hooks: plain(hooks),
    policies: plain(policies),
    binarySets: plain(binarySets),
    classes: plain(classes),
    ...(lanes === undefined ? {} : { lanes: Object.fromEntries(lanes) }),
  });
}

/** Throws on text that is no allocation: numbers out of range or given out twice. */
export function readAllocation(text: string): Allocation {
  const file = fileSchema.parse(JSON.parse(text));
  const space = (name: SpaceName): NumberSpace => {
    const { last, numbers } = file[name];
    const bounds = SPACE_BOUNDS[name];
    const values = Object.values(numbers);
    if (new Set(values).size !== values.length || values.some((value) => value < bounds.first || value > bounds.last)) {
      throw new Error(`numbers of ${name} are out of range or given out twice`);
    }
    return { last, numbers: new Map(Object.entries(numbers)) };
  };
  const spaces = { hooks: space('hooks'), policies: space('policies'), binarySets: space('binarySets'), classes: space('classes') };
  return file.lanes === undefined ? spaces : { ...spaces, lanes: new Map(Object.entries(file.lanes)) };
}
