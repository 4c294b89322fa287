import { describe, expect, it } from 'vitest';
import { buildExec, buildExit } from '../../abi/testing/record-builder.ts';
import { tlvU32 } from '../../protocol/loader-frames.ts';
import { consumeEvents, cutRecords } from './event-stream.ts';
import { encodeAnswer, OK } from './testing/fake-loader.ts';
import { startSocketLoader } from './testing/socket-loader.ts';

const task = { key: { execKtimeNs: 1n, tgid: 2 } };
const exec = buildExec({ task, path: '/bin/true' });
const exit = buildExit({ task });

describe('the events connection', () => {
  it('hands on whole records, however the bytes arrive', async () => {
    await using loader = await startSocketLoader();
    const bytes = Buffer.concat([exec, exit, exec]);
    loader.onFrame = (frame, write, socket) => {
      write(Buffer.concat([encodeAnswer('EVENTS', frame.id, OK), bytes.subarray(0, 100)]));
      setImmediate(() => {
        write(bytes.subarray(100, exec.length + 3));
        setImmediate(() => {
          write(bytes.subarray(exec.length + 3));
          socket.end();
        });
      });
    };
    const lengths: number[] = [];
    let opened = 0;
    await consumeEvents({
      path: loader.path,
      signal: new AbortController().signal,
      onOpen: () => {
        opened += 1;
      },
      onRecords: (batch) => void lengths.push(...batch.map((record) => record.length)),
    });
    expect(lengths).toEqual([exec.length, exit.length, exec.length]);
    expect(opened).toBe(1);
  });

  it('waits for a slow consumer instead of gathering what it cannot take', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write, socket) => {
      write(encodeAnswer('EVENTS', frame.id, OK));
      for (let i = 0; i < 200; i += 1) write(exec);
      socket.end();
    };
    let inHand = 0;
    let seen = 0;
    await consumeEvents({
      path: loader.path,
      signal: new AbortController().signal,
      onOpen: () => undefined,
      onRecords: async (batch) => {
        inHand += 1;
        expect(inHand).toBe(1);
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        inHand -= 1;
        seen += batch.length;
      },
    });
    expect(seen).toBe(200);
  });

  it('bytes that are no record end it: what follows could be anything', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write) => write(Buffer.concat([encodeAnswer('EVENTS', frame.id, OK), exec, Buffer.alloc(64, 0xff)]));
    const consumed = consumeEvents({
      path: loader.path,
      signal: new AbortController().signal,
      onOpen: () => undefined,
      onRecords: () => undefined,
    });
    await expect(consumed).rejects.toMatchObject({ code: 'LoaderUnavailable', message: expect.stringContaining('out of step') });
  });

  it('an end in the middle of a record is told, and a stop is not', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write, socket) => {
      write(Buffer.concat([encodeAnswer('EVENTS', frame.id, OK), exec.subarray(0, 40)]));
      socket.end();
    };
    const options = { path: loader.path, signal: new AbortController().signal, onOpen: () => undefined, onRecords: () => undefined };
    await expect(consumeEvents(options)).rejects.toMatchObject({ message: expect.stringContaining('inside a record') });
    const stop = new AbortController();
    loader.onFrame = (frame, write) => write(encodeAnswer('EVENTS', frame.id, OK));
    await consumeEvents({ ...options, signal: stop.signal, onOpen: () => stop.abort() });
  });

  it('acknowledges what is done with on the same connection', async () => {
    await using loader = await startSocketLoader();
    const said: Buffer[] = [];
    loader.onFrame = (frame, write, socket) => {
      expect(tlvU32(frame, 'ACKNOWLEDGE')).toBe(1);
      socket.removeAllListeners('data');
      socket.on('data', (bytes: Buffer) => {
        said.push(bytes);
        socket.end();
      });
      write(Buffer.concat([encodeAnswer('EVENTS', frame.id, OK), exec]));
    };
    let acknowledge = (_doneBytes: number): void => {};
    await consumeEvents({
      path: loader.path,
      signal: new AbortController().signal,
      delivery: 'until acknowledged',
      onOpen: (open) => {
        acknowledge = open;
      },
      onRecords: (batch) => acknowledge(batch.reduce((sum, record) => sum + record.length, 0)),
    });
    expect(Buffer.concat(said).readBigUInt64LE()).toBe(BigInt(exec.length));
    acknowledge(1);
  });

  it('cuts nothing from an incomplete header', () => {
    expect(cutRecords(exec.subarray(0, 10))).toMatchObject({ records: [], rest: exec.subarray(0, 10) });
  });
});
