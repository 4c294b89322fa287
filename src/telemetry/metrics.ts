import * as prometheus from '@prometheus-io/client';

/** Values of a metric's labels, all of them, each from a small set: never a node, a pod or a uid. */
export type Labels<Name extends string> = Readonly<Record<Name, string>>;

/** A number that only grows. */
export type Counter<Name extends string = never> = {
  inc(labels: Labels<Name>, by?: number): void;
  /** Forgets one set of labels: for things that are gone, so that names which come and go do not fill the memory. */
  remove(labels: Labels<Name>): void;
};

/** A number that is set. */
export type Gauge<Name extends string = never> = {
  set(labels: Labels<Name>, value: number): void;
  add(labels: Labels<Name>, by: number): void;
  /** As a counter's: else what is gone would be shown with its last value for ever. */
  remove(labels: Labels<Name>): void;
  /** Forgets all. */
  reset(): void;
};

/** A distribution, of seconds unless its name says otherwise. */
export type Histogram<Name extends string = never> = {
  observe(labels: Labels<Name>, value: number): void;
};

/**
 * The metrics of one process. Names are given without the prefix `palisade_`, which is added; asking for a name again gives the same
 * metric, so that parts need not hand them around.
 */
export type Metrics = {
  counter<Name extends string = never>(name: string, help: string, labels?: readonly Name[]): Counter<Name>;
  gauge<Name extends string = never>(name: string, help: string, labels?: readonly Name[]): Gauge<Name>;
  histogram<Name extends string = never>(name: string, help: string, buckets: readonly number[], labels?: readonly Name[]): Histogram<Name>;
  /** Called before every scrape, for gauges that are read rather than set: ages, queue lengths. */
  onScrape(callback: () => void): void;
  /** What `/metrics` answers. */
  text(): Promise<string>;
  readonly contentType: string;
};

/** Bounds for what takes between a millisecond and half a minute, in seconds. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const PREFIX = 'palisade_';

export function createMetrics(): Metrics {
  const registry = new prometheus.Registry();
  const known = new Map<string, unknown>();
  const scrapes: (() => void)[] = [];

  /** The client library refuses a second registration of a name; the first one is given out again instead. */
  const once = <Kind>(name: string, create: () => Kind, isKind: (value: unknown) => value is Kind): Kind => {
    const existing = known.get(name);
    if (existing === undefined) {
      const created = create();
      known.set(name, created);
      return created;
    }
    if (!isKind(existing)) {
      throw new TypeError(`metric ${name} exists already and is of another kind`);
    }
    return existing;
  };

  return {
    counter: <Name extends string>(name: string, help: string, labels: readonly Name[] = []): Counter<Name> => {
      const create = () => new prometheus.Counter<string>({ name: PREFIX + name, help, labelNames: [...labels], registers: [registry] });
      const counter = once(name, create, (value): value is prometheus.Counter<string> => value instanceof prometheus.Counter);
      return { inc: (values, by = 1) => counter.inc(values, by), remove: (values) => counter.remove(values) };
    },
    gauge: <Name extends string>(name: string, help: string, labels: readonly Name[] = []): Gauge<Name> => {
      const create = () => new prometheus.Gauge<string>({ name: PREFIX + name, help, labelNames: [...labels], registers: [registry] });
      const gauge = once(name, create, (value): value is prometheus.Gauge<string> => value instanceof prometheus.Gauge);
      return {
        set: (values, value) => gauge.set(values, value),
        add: (values, by) => gauge.inc(values, by),
        remove: (values) => gauge.remove(values),
        reset: () => gauge.reset(),
      };
    },
    histogram: <Name extends string>(
      name: string,
      help: string,
      buckets: readonly number[],
      labels: readonly Name[] = [],
    ): Histogram<Name> => {
      const create = () =>
        new prometheus.Histogram<string>({
          name: PREFIX + name,
          help,
          buckets: [...buckets],
          labelNames: [...labels],
          registers: [registry],
        });
      const histogram = once(name, create, (value): value is prometheus.Histogram<string> => value instanceof prometheus.Histogram);
      return { observe: (values, value) => histogram.observe(values, value) };
    },
    onScrape: (callback) => void scrapes.push(callback),
    text: async () => {
      for (const callback of scrapes) {
        callback();
      }
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** Adds what the process itself has to say: CPU, memory, event loop, open files. For main files; they are not prefixed. */
export function createProcessMetrics(): Metrics {
  const own = createMetrics();
  const registry = new prometheus.Registry();
  prometheus.collectDefaultMetrics({ register: registry });
  return { ...own, text: async () => `${await own.text()}\n${await registry.metrics()}` };
}
