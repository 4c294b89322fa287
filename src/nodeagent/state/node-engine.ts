import type { Meanings } from '../events/meaning.ts';
import type { CgroupIndex } from '../identity/cgroup-index.ts';
import type { EnginePort } from './engine-port.ts';
import type { LoaderUp } from './loader-keeper.ts';

/** What the agent needs of linker and loader together. */
export type NodeEngine = EnginePort & {
  /** What the numbers in records mean. */
  readonly meanings: Meanings;
  /** The generation that is active in the kernel; 0: none. */
  readonly generation: number;
  /** A loader answers, maybe another one than before. Until `loaderDown`, `apply` may use it. */
  loaderUp(up: LoaderUp, cgroups: CgroupIndex): Promise<void>;
  loaderDown(): void;
};
