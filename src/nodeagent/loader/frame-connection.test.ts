import { describe, expect, it } from 'vitest';
import { FLAG_MORE, textTlv, u16Tlv, u32sTlv, u32Tlv } from '../../protocol/loader-frames.ts';
import { createFakeClock, type FakeClock } from '../../telemetry/testing/fake-clock.ts';
import { type FrameConnection, openFrameConnection } from './frame-connection.ts';
import { createLoaderClient } from './loader-client.ts';
import { encodeAnswer, OK } from './testing/fake-loader.ts';
import { type SocketLoader, startSocketLoader } from './testing/socket-loader.ts';

async function open(loader: SocketLoader, clock: FakeClock = createFakeClock()): Promise<FrameConnection> {
  return await openFrameConnection({ path: loader.path, clock, signal: new AbortController().signal, answerTimeoutMs: 1000 });
}

describe('a connection to the loader', () => {
  it('asks one thing at a time, and answers go to who asked', async () => {
    await using loader = await startSocketLoader();
    let inFlight = 0;
    loader.onFrame = (frame, write) => {
      inFlight += 1;
      expect(inFlight).toBe(1);
      setImmediate(() => {
        inFlight -= 1;
        write(encodeAnswer('ITERATE', frame.id, [...OK, u32Tlv('COUNT', frame.id * 10)]));
      });
    };
    const client = createLoaderClient(await open(loader));
    expect(await Promise.all([client.iterate(), client.iterate(), client.iterate()])).toEqual([10, 20, 30]);
  });

  it('puts an answer of several frames together', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write) => {
      write(encodeAnswer('CATALOGUE', frame.id, [textTlv('NAMES_FUNCTION', 'a\nb\n')], FLAG_MORE));
      write(encodeAnswer('CATALOGUE', frame.id, [...OK, textTlv('NAMES_FUNCTION', 'c\n'), textTlv('NAMES_LSM', 'file_open\n')]));
    };
    const names = await createLoaderClient(await open(loader)).catalogue();
    expect([...names.functions]).toEqual(['a', 'b', 'c']);
    expect([...names.lsmHooks]).toEqual(['file_open']);
  });

  it('a refusal says stage, reason and message, and the connection goes on', async () => {
    await using loader = await startSocketLoader();
    let refuses = true;
    loader.onFrame = (frame, write) => {
      const refusal = [u16Tlv('STAGE', 6), u32Tlv('ERRNO', 7), textTlv('REASON', 'TrampolineLimit'), textTlv('MESSAGE', 'full')];
      write(encodeAnswer('ITERATE', frame.id, refuses ? refusal : [...OK, u32Tlv('COUNT', 1)]));
      refuses = false;
    };
    const client = createLoaderClient(await open(loader));
    await expect(client.iterate()).rejects.toMatchObject({
      code: 'LoaderRefusal',
      result: { stage: 'attach', errno: 7, reason: 'TrampolineLimit' },
    });
    expect(await client.iterate()).toBe(1);
  });

  it('an answer that does not come in time ends the connection, since nothing is known of what was done', async () => {
    await using loader = await startSocketLoader();
    const clock = createFakeClock();
    const connection = await open(loader, clock);
    const asked = createLoaderClient(connection).iterate();
    const [settled] = await Promise.all([Promise.allSettled([asked]), clock.advance(1001)]);
    expect(settled).toMatchObject([{ status: 'rejected', reason: { code: 'LoaderUnavailable' } }]);
    expect(await connection.closed).toContain('ITERATE');
  });

  it('an answer to another question, or none of the protocol, ends the connection', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write) => write(encodeAnswer('ITERATE', frame.id + 1, OK));
    await expect(createLoaderClient(await open(loader)).iterate()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
    loader.onFrame = (_, write) => write(Uint8Array.from([1, 0, 0, 0, 0, 0]));
    await expect(createLoaderClient(await open(loader)).iterate()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
    loader.onFrame = (frame, write) => write(encodeAnswer('ITERATE', frame.id, [u32Tlv('COUNT', 1)]));
    await expect(createLoaderClient(await open(loader)).iterate()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
  });

  it('requests fail at once when the loader goes away', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (_frame, _write, socket) => socket.destroy();
    const connection = await open(loader);
    const client = createLoaderClient(connection);
    await expect(client.iterate()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
    await expect(client.iterate()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
  });

  it('a socket where nobody listens is a loader that is away', async () => {
    const signal = new AbortController().signal;
    const options = { path: '/nonexistent/loader.sock', clock: createFakeClock(), signal, answerTimeoutMs: 1000 };
    await expect(openFrameConnection(options)).rejects.toMatchObject({ code: 'LoaderUnavailable' });
  });
});

describe('what the loader answers', () => {
  it('HELLO gives facts, the adopted generation and how its hooks are attached', async () => {
    await using loader = await startSocketLoader();
    loader.onFrame = (frame, write) =>
      write(
        encodeAnswer('HELLO', frame.id, [
          ...OK,
          textTlv('FACT', 'lsm=capability,bpf'),
          textTlv('FACT', 'cas=true'),
          u32Tlv('GENERATION', 4),
          { tag: 13, value: new Uint8Array(32).fill(7) },
          textTlv('BOOT', 'b'),
          textTlv('RELEASE', '6.12'),
          u32sTlv('HOST_NS', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
          u32Tlv('ADOPTED', 1),
          textTlv('ACTIVE_HOOK', '3 h3_lsm_file_open lsm:file_open 1 0'),
        ]),
      );
    const hello = await createLoaderClient(await open(loader)).hello();
    expect(hello).toMatchObject({ generation: 4, boot: 'b', adopted: true, hostNamespaces: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
    expect(hello.label?.equals(Buffer.alloc(32, 7))).toBe(true);
    expect(hello.activeHooks).toEqual([{ id: 3, name: 'h3_lsm_file_open', method: 'lsm:file_open', pinned: true, usesDPath: false }]);
  });

  it('counters are read by policy, and rows that are cut off end the connection', async () => {
    await using loader = await startSocketLoader();
    const row = Buffer.alloc(104);
    row.writeUInt32LE(9, 0);
    row.writeBigUInt64LE(5n, 8);
    loader.onFrame = (frame, write) => write(encodeAnswer('COUNTERS', frame.id, [...OK, { tag: 72, value: row }]));
    expect((await createLoaderClient(await open(loader)).counters()).policies.get(9)?.[0]).toBe(5n);
    loader.onFrame = (frame, write) => write(encodeAnswer('COUNTERS', frame.id, [...OK, { tag: 72, value: row.subarray(1) }]));
    await expect(createLoaderClient(await open(loader)).counters()).rejects.toMatchObject({ code: 'LoaderUnavailable' });
  });
});
