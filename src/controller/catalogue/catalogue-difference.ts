import {
  type CatalogueFrame,
  type CatalogueNode,
  encodeNamesFrame,
  type KernelBuildFrame,
  MAX_CATALOGUE_FRAME_BYTES,
  MAX_NODES_PER_FRAME,
} from '../../protocol/catalogue.ts';

/** What webhooks should know now. */
export type CatalogueView = {
  readonly builds: readonly { readonly frame: KernelBuildFrame; readonly names: Buffer | null }[];
  readonly nodes: readonly CatalogueNode[];
};

/** What one webhook has been told. */
export type Told = {
  /** Builds, and whether it holds their names. */
  readonly builds: ReadonlyMap<string, 'with-names' | 'without-names'>;
  /** Nodes by name, as a text that changes when something about them matters. */
  readonly nodes: ReadonlyMap<string, string>;
};

export type CatalogueDifference = { readonly frames: readonly (CatalogueFrame | Buffer)[]; readonly told: Told };

/** The frames that bring a webhook from what it was told to what is so now. `isFirst`: it has just subscribed. */
export function catalogueDifference(told: Told, view: CatalogueView, phase: 'first' | 'later'): CatalogueDifference {
  const frames: (CatalogueFrame | Buffer)[] = [];
  const builds = new Map<string, 'with-names' | 'without-names'>();
  for (const { frame, names } of view.builds) {
    const before = told.builds.get(frame.build);
    const mustForget = phase === 'later' && before === 'with-names' && names === null;
    if (mustForget) {
      frames.push({ t: 'gone', build: frame.build });
    }
    if (phase === 'first' || before === undefined || mustForget) {
      frames.push(frame);
    }
    if (names !== null && before !== 'with-names') {
      frames.push(encodeNamesFrame(frame.build, names));
    }
    builds.set(frame.build, names === null ? 'without-names' : 'with-names');
  }
  for (const build of told.builds.keys()) {
    if (!builds.has(build)) {
      frames.push({ t: 'gone', build });
    }
  }
  const nodes = new Map(view.nodes.map((node) => [node.name, fingerprint(node)]));
  const put = view.nodes.filter((node) => phase === 'first' || told.nodes.get(node.name) !== nodes.get(node.name));
  const gone = phase === 'first' ? [] : [...told.nodes.keys()].filter((name) => !nodes.has(name));
  frames.push(...nodeFrames(put, gone, phase));
  return { frames, told: { builds, nodes } };
}

/** Silence is told when it begins and ends, and anew with every full minute, not with every millisecond. */
function fingerprint(node: CatalogueNode): string {
  return JSON.stringify([node.build, Math.ceil(node.silentMs / 60_000), node.labels]);
}

function nodeFrames(put: readonly CatalogueNode[], gone: readonly string[], phase: 'first' | 'later'): CatalogueFrame[] {
  const frames: CatalogueFrame[] = [];
  for (const some of chunksOf(put)) {
    frames.push({ t: 'nodes', full: phase === 'first' && frames.length === 0, put: some });
  }
  if (gone.length > 0) {
    frames.push({ t: 'nodes', put: [], gone: [...gone] });
  }
  if (phase === 'first' && put.length === 0) {
    frames.push({ t: 'nodes', full: true, put: [] });
  }
  return frames;
}

/** Beyond it a new frame begins; the other half is room for a node that is large by itself. */
const MAX_CHUNK_BYTES = MAX_CATALOGUE_FRAME_BYTES / 2;

/** As many as fit into a frame, by number and by size: nodes have as many labels as they like. */
function chunksOf(nodes: readonly CatalogueNode[]): CatalogueNode[][] {
  const chunks: CatalogueNode[][] = [];
  let current: CatalogueNode[] = [];
  let bytes = 0;
  for (const node of nodes) {
    bytes += Buffer.byteLength(JSON.stringify(node));
    if (current.length > 0 && (bytes > MAX_CHUNK_BYTES || current.length >= MAX_NODES_PER_FRAME)) {
      chunks.push(current);
      current = [];
      bytes = Buffer.byteLength(JSON.stringify(node));
    }
    current.push(node);
  }
  return current.length === 0 ? chunks : [...chunks, current];
}
