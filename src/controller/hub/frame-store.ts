import { encodeDesiredFrame, encodePlanFrame } from '../../protocol/hub-binary.ts';
import { type DesiredSet, desiredFrame } from '../desired/desired-set.ts';

/** Frames that many agents get are made once: plans by digest, desired sets by (base, set). */
export type FrameStore = {
  /** From now on agents may ask for this plan. Throws `HubBinaryError` where it is too large to send. */
  putPlan(format: number, digest: string, text: string): void;
  plan(digest: string): Buffer | undefined;
  /** Forgets plans that are not among these. */
  keepPlans(digests: ReadonlySet<string>): void;
  desired(epoch: number, base: DesiredSet | null, set: DesiredSet): string | Buffer;
};

/** Differences between two sets are asked for by a whole cohort at once, and then not again. */
const MAX_DESIRED_FRAMES = 64;
/** From here on packing is worth it: a full set of 300 entries is 78 KB, packed 15 KB. */
const PACK_FROM_CHARS = 4_096;

export function createFrameStore(): FrameStore {
  const plans = new Map<string, Buffer>();
  const desired = new Map<string, string | Buffer>();
  return {
    putPlan: (format, digest, text) => {
      if (!plans.has(digest)) {
        plans.set(digest, encodePlanFrame(format, digest, text));
      }
    },
    plan: (digest) => plans.get(digest),
    keepPlans: (digests) => {
      for (const digest of plans.keys()) {
        if (!digests.has(digest)) {
          plans.delete(digest);
        }
      }
    },
    desired: (epoch, base, set) => {
      const key = `${base?.digest ?? ''} ${set.digest}`;
      const known = desired.get(key);
      if (known !== undefined) {
        return known;
      }
      const text = JSON.stringify(desiredFrame(epoch, base, set));
      const frame = text.length < PACK_FROM_CHARS ? text : encodeDesiredFrame(text);
      desired.set(key, frame);
      const oldest = desired.keys().next().value;
      if (desired.size > MAX_DESIRED_FRAMES && oldest !== undefined) {
        desired.delete(oldest);
      }
      return frame;
    },
  };
}
