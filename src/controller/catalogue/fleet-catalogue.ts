import { catalogueDigest } from '../../protocol/hub-binary.ts';
import type { Hello, Welcome } from '../../protocol/hub-frames.ts';
import { type KernelBuildFrame, MAX_BUILDS, MAX_NAMES_FRAME_BYTES, packKernelNames, readKernelNames } from '../../protocol/catalogue.ts';

/** The names of one kernel build, as one node told them and, if there is another such node, a second one confirmed. */
type Names = { readonly digest: string; readonly packed: Buffer; readonly from: string };

type Build = {
  readonly frame: KernelBuildFrame;
  names: Names | null;
  isConfirmed: boolean;
  readonly nodes: Set<string>;
  /** Digests that nodes told, by node; they may come before the names. */
  readonly notices: Map<string, string>;
  /** Whom the names were asked of, and since when; asked again when he does not answer. */
  asked: { readonly node: string; readonly sinceMs: number } | null;
};

/**
 * The controller's memory of kernels: one entry per kernel build. One node of a build uploads its names, a second one, if there is any,
 * must confirm their digest: a rooted node must not steer admission for others.
 */
export type FleetCatalogue = {
  /** A node has said hello; the answer is what it should send. */
  greeted(node: string, hello: Hello, nowMs: number): Welcome['want'];
  /** A node tells the digest of its names. True: something that webhooks see has changed. */
  noticed(node: string, build: string, digest: string): boolean;
  /** A node uploads its names: their JSON text. Throws where it is none. */
  uploaded(node: string, build: string, text: string): boolean;
  /** The node is gone for good. */
  removeNode(node: string): void;
  buildOf(node: string): string | null;
  builds(): Iterable<KernelBuildFrame>;
  /** Packed names of a build that may be acted upon; null: none yet, or disputed. */
  packedNames(build: string): Buffer | null;
  /** Builds whose nodes contradict each other. */
  disputed(): number;
};

const ASK_AGAIN_MS = 60_000;

export function createFleetCatalogue(): FleetCatalogue {
  const builds = new Map<string, Build>();
  const nodeBuilds = new Map<string, string>();
  const disputes = new Set<string>();

  const leave = (node: string): void => {
    const build = builds.get(nodeBuilds.get(node) ?? '');
    nodeBuilds.delete(node);
    build?.nodes.delete(node);
    build?.notices.delete(node);
    if (build !== undefined && build.nodes.size === 0) {
      builds.delete(build.frame.build);
      disputes.delete(build.frame.build);
    }
  };
  /** A build that has one node only needs no confirmation; it is asked for as soon as there are two. */
  const isUsable = (build: Build): boolean =>
    build.names !== null && (build.isConfirmed || build.nodes.size < 2) && !disputes.has(build.frame.build);

  /** Compares what other nodes told with the names that are there. True: something has changed. */
  const confirm = (build: Build): boolean => {
    const { names } = build;
    if (names === null || build.isConfirmed) {
      return false;
    }
    const others = [...build.notices].filter(([node]) => node !== names.from).map(([, digest]) => digest);
    if (others.includes(names.digest)) {
      build.isConfirmed = true;
      disputes.delete(build.frame.build);
    } else if (others.length > 0) {
      disputes.add(build.frame.build);
    }
    return others.length > 0;
  };

  return {
    greeted: (node, hello, nowMs) => {
      if (nodeBuilds.get(node) !== hello.kernel.build) {
        leave(node);
      }
      let build = builds.get(hello.kernel.build);
      if (build === undefined) {
        if (builds.size >= MAX_BUILDS) {
          return undefined;
        }
        const { release, arch, lsm, preempt } = hello.kernel;
        const frame: KernelBuildFrame = { t: 'build', build: hello.kernel.build, release, arch, lsm, preempt, facts: hello.facts };
        build = { frame, names: null, isConfirmed: false, nodes: new Set(), notices: new Map(), asked: null };
        builds.set(hello.kernel.build, build);
      }
      build.nodes.add(node);
      nodeBuilds.set(node, hello.kernel.build);
      if (build.names === null) {
        if (build.asked !== null && build.asked.node !== node && nowMs - build.asked.sinceMs < ASK_AGAIN_MS) {
          return 'catalogue-digest';
        }
        build.asked = { node, sinceMs: nowMs };
        return 'catalogue';
      }
      return build.isConfirmed || build.names.from === node ? undefined : 'catalogue-digest';
    },
    noticed: (node, buildName, digest) => {
      const build = builds.get(buildName);
      if (build === undefined || nodeBuilds.get(node) !== buildName) {
        return false;
      }
      build.notices.set(node, digest);
      return confirm(build);
    },
    uploaded: (node, buildName, text) => {
      const build = builds.get(buildName);
      if (build === undefined || nodeBuilds.get(node) !== buildName || build.names !== null) {
        return false;
      }
      const packed = packKernelNames(readKernelNames(text));
      if (packed.byteLength + 32 > MAX_NAMES_FRAME_BYTES) {
        throw new RangeError(`${packed.byteLength} bytes of packed names are too many`);
      }
      build.names = { digest: catalogueDigest(text), packed, from: node };
      build.asked = null;
      confirm(build);
      return true;
    },
    removeNode: leave,
    buildOf: (node) => nodeBuilds.get(node) ?? null,
    builds: () => builds.values().map((build) => build.frame),
    packedNames: (name) => {
      const build = builds.get(name);
      return build !== undefined && isUsable(build) ? (build.names?.packed ?? null) : null;
    },
    disputed: () => disputes.size,
  };
}
