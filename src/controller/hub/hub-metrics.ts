import { type Counter, type Gauge, type Histogram, type Metrics, SECONDS_BUCKETS } from '../../telemetry/metrics.ts';

/** Numbers of the hub; never by node. */
export type HubMetrics = {
  readonly agents: Gauge<'state'>;
  readonly handshakes: Counter<'result'>;
  readonly frames: Counter<'type' | 'direction'>;
  readonly bytes: Counter<'direction'>;
  readonly buffered: Gauge;
  readonly slowClosed: Counter;
  readonly closed: Counter<'reason'>;
  readonly unknownSets: Counter;
  readonly unpredicted: Counter;
  readonly cohorts: Gauge;
  readonly podsOmitted: Counter;
  readonly podSeconds: Histogram;
  readonly activityUnknown: Counter;
};

export function createHubMetrics(metrics: Metrics): HubMetrics {
  return {
    agents: metrics.gauge('hub_agents', 'Agents that are connected, by what they last said of their loader.', ['state']),
    handshakes: metrics.counter('hub_handshakes_total', 'Callers that wanted a connection, by outcome.', ['result']),
    frames: metrics.counter('hub_frames_total', 'Frames to and from agents.', ['type', 'direction']),
    bytes: metrics.counter('hub_bytes_total', 'Bytes of frames to and from agents, before TLS.', ['direction']),
    buffered: metrics.gauge('hub_buffered_bytes', 'Bytes that wait for agents to read them.'),
    slowClosed: metrics.counter('hub_slow_closed_total', 'Connections that were closed because the agent read too slowly.'),
    closed: metrics.counter('hub_closed_total', 'Connections that the hub closed, by reason.', ['reason']),
    unknownSets: metrics.counter(
      'hub_reports_unknown_set_total',
      'Reports about a set that the hub does not remember; the next one, about the set that the node was told since, settles it.',
    ),
    unpredicted: metrics.counter(
      'hub_reports_unpredicted_total',
      'Reports with other attach methods than predicted; the node was asked to explain.',
    ),
    cohorts: metrics.gauge('hub_cohorts', 'Distinct sets of policies among the nodes.'),
    podsOmitted: metrics.counter('hub_pod_details_omitted_total', 'Labels and containers of pods beyond the bounds of the feed.'),
    podSeconds: metrics.histogram(
      'pod_bind_to_sent_seconds',
      'Time from a change of a pod in the cache until it was sent to its node.',
      SECONDS_BUCKETS,
    ),
    activityUnknown: metrics.counter('activity_unknown_total', 'Rows of activity about policies that are not there (any more).'),
  };
}
