import type { RawData, WebSocket } from 'ws';
import { decodeHubBinary, type HubBinaryFrame } from '../../protocol/hub-binary.ts';
import {
  desiredSchema,
  HUB_CLOSE,
  hubFrameSchema,
  type AgentFrame,
  type Hello,
  type HubFrame,
  type Welcome,
} from '../../protocol/hub-frames.ts';
import { sleep, type Clock, type Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { dialHub, HubDialError, type HubAddress } from './hub-socket.ts';
import { redialDelayMs, type RedialCause, type RedialOptions } from './redial-delay.ts';

export type PlanFrame = Extract<HubBinaryFrame, { kind: 'plan' }>;

/** One live connection, for whoever has something to say. Frames sent after its end are dropped. */
export type HubSender = {
  send(frame: AgentFrame): void;
  /** A frame that is JSON already. */
  sendText(text: string): void;
  sendBinary(bytes: Buffer): void;
  close(code: number, reason: string): void;
};

/** What the link does not decide itself. Frames come one at a time: the next waits until the promise is settled. */
export type HubHandler = {
  hello(): Hello;
  welcome(frame: Welcome, sender: HubSender): void;
  frame(frame: Exclude<HubFrame, Welcome>, sender: HubSender): Promise<void>;
  plan(frame: PlanFrame, sender: HubSender): Promise<void>;
  disconnected(): void;
};

export type HubLinkOptions = {
  readonly address: HubAddress;
  readonly redial: RedialOptions;
  /** Pings further apart than so many heartbeats end the connection. */
  readonly missedHeartbeats: number;
  readonly handler: HubHandler;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
  readonly random: () => number;
};

/** A frame or a sequence of frames that the protocol does not allow. */
class HubProtocolError extends Error {
  readonly code = 'HUB_PROTOCOL';
  override readonly name = 'HubProtocolError';
}

/** Keeps one connection to the hub for as long as the agent lives; returns when the signal is aborted. */
export async function runHubLink(options: HubLinkOptions): Promise<void> {
  const { log, clock, signal, metrics } = options;
  const connected = metrics.gauge('agent_hub_connected', 'Whether this agent has a connection to the hub.');
  connected.set({}, 0);
  let failures = 0;
  while (!signal.aborted) {
    let cause: RedialCause = { kind: 'failed', failures };
    try {
      const socket = await dialHub(options.address, signal);
      const end = await serveConnection(socket, options, () => {
        failures = 0;
        connected.set({}, 1);
      });
      log.info('Lost the hub', { code: end.code, reason: end.reason });
      cause = redialCauseOf(end, failures);
    } catch (error) {
      if (signal.aborted) return;
      log.warn('Could not reach the hub', { message: error instanceof Error ? error.message : String(error), failures });
      if (error instanceof HubDialError && error.retryAfterMs !== null) cause = { kind: 'put-off', afterMs: error.retryAfterMs };
    } finally {
      connected.set({}, 0);
    }
    // A hub that says when to come again is there: it is no reason to stay away for longer the next time nobody answers.
    failures = cause.kind === 'put-off' ? 0 : failures + 1;
    await sleep(clock, redialDelayMs(options.redial, cause, options.random()), signal);
  }
}

type ConnectionEnd = {
  readonly code: number;
  readonly reason: string;
  /** The hub had said `goaway`. */
  readonly isSentAway: boolean;
};

/**
 * A hub that does not take the token any more has outlived it (it lasts an hour, the connection longer): the file holds a new one, and pods
 * that start meanwhile are not known here. If the new one is not taken either, the dial fails.
 */
export function redialCauseOf(end: ConnectionEnd, failures: number): RedialCause {
  return end.isSentAway || end.code === HUB_CLOSE.unauthenticated ? { kind: 'sent-away' } : { kind: 'failed', failures };
}

/** Speaks over one open socket until it ends. `onWelcome` tells that the hub accepted this node. */
export async function serveConnection(socket: WebSocket, options: HubLinkOptions, onWelcome: () => void): Promise<ConnectionEnd> {
  const { handler, clock, log, signal } = options;
  const sender = createSender(socket);
  let heartbeatMs: number | null = null;
  let watchdog: Timer | null = null;
  let isSentAway = false;
  let goodbye: Timer | null = null;
  let work = Promise.resolve();

  const alive = (): void => {
    watchdog?.cancel();
    const silenceMs = heartbeatMs === null ? options.address.handshakeTimeoutMs : heartbeatMs * options.missedHeartbeats;
    watchdog = clock.setTimer(silenceMs, () => {
      log.warn('The hub has been silent', { silenceMs });
      socket.terminate();
    });
  };
  const handle = async (data: RawData, isBinary: boolean): Promise<void> => {
    const frame = readFrame(data, isBinary);
    if ('kind' in frame) {
      await handler.plan(frame, sender);
    } else if (frame.t === 'welcome') {
      if (heartbeatMs !== null) throw new HubProtocolError('a second welcome');
      heartbeatMs = frame.heartbeatMs;
      onWelcome();
      handler.welcome(frame, sender);
    } else if (heartbeatMs === null) {
      throw new HubProtocolError(`"${frame.t}" before welcome`);
    } else if (frame.t === 'goaway') {
      isSentAway = true;
      goodbye = clock.setTimer(frame.afterMs, () => sender.close(HUB_CLOSE.goingAway, 'goaway'));
    } else {
      await handler.frame(frame, sender);
    }
    alive();
  };

  const ended = new Promise<ConnectionEnd>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8').slice(0, 200), isSentAway }));
  });
  const stop = (): void => sender.close(HUB_CLOSE.goingAway, 'agent stops');
  signal.addEventListener('abort', stop, { once: true });
  socket.on('error', (error) => log.warn('The connection to the hub failed', { message: error.message }));
  socket.on('ping', alive);
  socket.on('message', (data, isBinary) => {
    work = work
      .then(() => handle(data, isBinary))
      .catch((error: unknown) => {
        log.error('Could not handle a frame of the hub', { error });
        sender.close(HUB_CLOSE.malformed, error instanceof HubProtocolError ? error.message : 'frame could not be handled');
      });
  });
  sender.send(handler.hello());
  alive();
  const end = await ended;
  signal.removeEventListener('abort', stop);
  for (const timer of [watchdog, goodbye]) cancel(timer);
  await work;
  handler.disconnected();
  return end;
}

function cancel(timer: Timer | null): void {
  timer?.cancel();
}

function readFrame(data: RawData, isBinary: boolean): HubFrame | PlanFrame {
  const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
  if (!isBinary) return parseText(bytes.toString('utf8'));
  const frame = decodeHubBinary(bytes);
  if (frame.kind === 'plan') return frame;
  if (frame.kind === 'desired') return desiredSchema.parse(parseJson(frame.text));
  throw new HubProtocolError(`binary frame of kind ${frame.kind} from a hub`);
}

function parseText(text: string): HubFrame {
  const parsed = hubFrameSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new HubProtocolError(`frame does not fit: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.slice(0, 120));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HubProtocolError('frame is not JSON');
  }
}

function createSender(socket: WebSocket): HubSender {
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const sendText = (text: string): void => {
    if (isOpen()) socket.send(text);
  };
  return {
    send: (frame) => sendText(JSON.stringify(frame)),
    sendText,
    sendBinary: (bytes) => {
      if (isOpen()) socket.send(bytes, { binary: true });
    },
    close: (code, reason) => {
      if (isOpen()) socket.close(code, Buffer.from(reason, 'utf8').subarray(0, 120).toString('utf8'));
    },
  };
}
