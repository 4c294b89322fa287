import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type FakeObject = { readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string } };

type Watch = { readonly response: ServerResponse; readonly resourceVersion: string };

/** What the server answers instead of the truth, once. */
export type Fault = {
  readonly on: 'list' | 'watch';
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

/**
 * One collection of objects over real HTTP, with lists, pages and watches, whose connections misbehave on demand: what a reflector
 * must survive is scripted, not mocked.
 */
export type FakeApiServer = {
  readonly url: string;
  /** Makes or changes an object and tells the watches. */
  put(name: string, fields?: Readonly<Record<string, unknown>>): void;
  remove(name: string): void;
  /** Changes the collection without telling anyone: what a watch missed. */
  putSilently(name: string, fields?: Readonly<Record<string, unknown>>): void;
  removeSilently(name: string): void;
  bookmark(): void;
  /** Writes a raw line to all watches. */
  say(line: string): void;
  /** Ends all watches as the server does after timeoutSeconds. */
  endWatches(): void;
  /** Breaks all watches with a TCP reset. */
  resetWatches(): void;
  failNext(fault: Fault): void;
  /** Holds answers to lists until the returned function is called. */
  holdLists(): () => void;
  readonly watches: readonly Watch[];
  readonly requests: readonly URL[];
  /** Distinct TCP connections so far. */
  connections(): number;
  version(): string;
  close(): Promise<void>;
};

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const objects = new Map<string, FakeObject>();
  const watches: Watch[] = [];
  const requests: URL[] = [];
  const faults: Fault[] = [];
  let version = 100;
  let nextUid = 1;
  let connections = 0;
  let held: Promise<void> | undefined;

  const make = (name: string, fields: Readonly<Record<string, unknown>>): FakeObject => {
    version += 1;
    const uid = objects.get(name)?.metadata.uid ?? `uid-${nextUid++}`;
    const object = { ...fields, metadata: { name, namespace: 'default', uid, resourceVersion: String(version) } };
    objects.set(name, object);
    return object;
  };
  const tell = (type: string, object: unknown): void => {
    for (const watch of watches) {
      watch.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  };
  const list = async (url: URL, response: ServerResponse): Promise<void> => {
    await held;
    const limit = Number(url.searchParams.get('limit') ?? 500);
    const offset = Number(url.searchParams.get('continue') ?? 0);
    const all = [...objects.values()];
    const more = offset + limit < all.length ? { continue: String(offset + limit) } : {};
    json(response, 200, { metadata: { resourceVersion: String(version), ...more }, items: all.slice(offset, offset + limit) });
  };
  const open = (url: URL, response: ServerResponse): void => {
    const watch = { response, resourceVersion: url.searchParams.get('resourceVersion') ?? '' };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    for (const object of objects.values()) {
      if (Number(object.metadata.resourceVersion) > Number(watch.resourceVersion)) {
        response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`);
      }
    }
    watches.push(watch);
    response.on('close', () => {
      const at = watches.indexOf(watch);
      if (at >= 0) {
        watches.splice(at, 1);
      }
    });
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://fake');
    requests.push(url);
    const kind = url.searchParams.has('watch') ? 'watch' : 'list';
    const fault = faults.findIndex((entry) => entry.on === kind);
    const [scripted] = fault >= 0 ? faults.splice(fault, 1) : [];
    if (scripted !== undefined) {
      json(response, scripted.status, scripted.body ?? { kind: 'Status', code: scripted.status }, scripted.headers);
    } else if (kind === 'watch') {
      open(url, response);
    } else {
      void list(url, response);
    }
  };

  const server = createServer(answer);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    url: `http://127.0.0.1:${port}`,
    put: (name, fields = {}) => {
      const type = objects.has(name) ? 'MODIFIED' : 'ADDED';
      tell(type, make(name, fields));
    },
    remove: (name) => {
      const object = objects.get(name);
      objects.delete(name);
      version += 1;
      tell('DELETED', { ...object, metadata: { ...object?.metadata, resourceVersion: String(version) } });
    },
    putSilently: (name, fields = {}) => void make(name, fields),
    removeSilently: (name) => {
      objects.delete(name);
      version += 1;
    },
    bookmark: () => tell('BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: String(version) } }),
    say: (line) => {
      for (const watch of watches) {
        watch.response.write(line);
      }
    },
    endWatches: () => {
      for (const watch of watches.splice(0)) {
        watch.response.end();
      }
    },
    resetWatches: () => {
      for (const watch of watches.splice(0)) {
        watch.response.socket?.resetAndDestroy();
      }
    },
    failNext: (fault) => void faults.push(fault),
    holdLists: () => {
      const gate = Promise.withResolvers<void>();
      held = gate.promise;
      return () => {
        held = undefined;
        gate.resolve();
      };
    },
    watches,
    requests,
    connections: () => connections,
    version: () => String(version),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
