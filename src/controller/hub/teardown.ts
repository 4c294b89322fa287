/** What became of the request to remove everything from the kernels. */
export type TeardownState = {
  readonly started: boolean;
  readonly nodes: readonly TeardownNode[];
};

export type TeardownNode = {
  readonly node: string;
  /** `pending`: has been told, or will be when it connects. `done`: says that all is gone. `failed`: says what is left. */
  readonly state: 'pending' | 'done' | 'failed';
  readonly left: readonly string[];
};

/**
 * The request to remove everything, for `palisade uninstall`. Holds for the life of the process: nodes that connect later are told, too,
 * and every desired set stays empty. A restart of the controller ends it, so the manifests must go right after.
 */
export type Teardown = {
  readonly isStarted: boolean;
  start(): void;
  confirmed(node: string, left: readonly string[]): void;
  state(agents: Iterable<string>): TeardownState;
};

export function createTeardown(): Teardown {
  let isStarted = false;
  const answers = new Map<string, readonly string[]>();
  return {
    get isStarted() {
      return isStarted;
    },
    start: () => {
      isStarted = true;
    },
    confirmed: (node, left) => {
      if (isStarted) {
        answers.set(node, left);
      }
    },
    state: (agents) => {
      const names = new Set([...agents, ...answers.keys()]);
      const nodes = [...names].toSorted().map((node): TeardownNode => {
        const left = answers.get(node);
        return { node, state: left === undefined ? 'pending' : left.length === 0 ? 'done' : 'failed', left: left ?? [] };
      });
      return { started: isStarted, nodes };
    },
  };
}
