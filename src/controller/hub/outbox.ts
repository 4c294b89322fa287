import type { Clock, Timer } from '../../telemetry/clock.ts';

/** The part of a websocket that sending needs. */
export type OutboxSocket = {
  readonly bufferedAmount: number;
  send(data: string | Buffer): void;
};

/** Bytes that wait for all agents together; who would exceed it waits. */
export type SendBudget = {
  readonly isFull: boolean;
  update(owner: object, bytes: number): void;
};

export type OutboxOptions = {
  readonly socket: OutboxSocket;
  readonly budget: SendBudget;
  readonly clock: Clock;
  /** An agent that has not made room for so long is too slow. */
  readonly slowMs: number;
  /** The next frame that is due, made only now, so that what changed meanwhile is in it; undefined: nothing. */
  next(): string | Buffer | undefined;
  onSent(data: string | Buffer): void;
  onSlow(why: string): void;
};

/** Sends frames as fast as the agent reads them. Nothing is queued here but what the socket has taken. */
export type Outbox = {
  /** Something may be due. */
  pump(): void;
  stop(): void;
};

const PAUSE_BYTES = 1024 * 1024;
const CLOSE_BYTES = 4 * 1024 * 1024;
const TOTAL_BYTES = 64 * 1024 * 1024;
const POLL_MS = 20;

export function createOutbox(options: OutboxOptions): Outbox {
  const { socket, budget, clock } = options;
  const owner = {};
  let timer: Timer | null = null;
  let pausedSinceMs: number | null = null;
  let isStopped = false;

  const pump = (): void => {
    timer?.cancel();
    timer = null;
    for (;;) {
      if (isStopped) {
        return;
      }
      const buffered = socket.bufferedAmount;
      budget.update(owner, buffered);
      if (buffered > CLOSE_BYTES) {
        options.onSlow(`${buffered} bytes wait to be read`);
        return;
      }
      if (buffered > PAUSE_BYTES || (budget.isFull && buffered > 0)) {
        pause();
        return;
      }
      pausedSinceMs = null;
      const data = options.next();
      if (data === undefined) {
        if (buffered > 0) {
          timer = clock.setTimer(POLL_MS, pump);
        }
        return;
      }
      socket.send(data);
      options.onSent(data);
    }
  };
  const pause = (): void => {
    const nowMs = clock.monotonicMs();
    pausedSinceMs ??= nowMs;
    if (nowMs - pausedSinceMs >= options.slowMs) {
      options.onSlow(`no room for ${options.slowMs} ms`);
      return;
    }
    timer = clock.setTimer(POLL_MS, pump);
  };

  return {
    pump,
    stop: () => {
      isStopped = true;
      timer?.cancel();
      budget.update(owner, 0);
    },
  };
}

export function createSendBudget(totalBytes = TOTAL_BYTES): SendBudget & { readonly bytes: number } {
  const byOwner = new Map<object, number>();
  let bytes = 0;
  return {
    get isFull() {
      return bytes > totalBytes;
    },
    get bytes() {
      return bytes;
    },
    update: (owner, amount) => {
      bytes += amount - (byOwner.get(owner) ?? 0);
      if (amount === 0) {
        byOwner.delete(owner);
      } else {
        byOwner.set(owner, amount);
      }
    },
  };
}
