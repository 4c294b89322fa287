import { loaderPath, type LoaderBuild } from '../../scripts/loader-build.ts';
import { waitUntil } from '../cluster/wait-until.ts';
import type { Running } from './channel.ts';
import type { Kernel } from './kernels.ts';
import { bootMachine, type Emulation, type Machine } from './machine.ts';
import { bridgeSocket, type SocketBridge } from './socket-bridge.ts';

export const agentUid = 65_532;
const guestSocket = '/run/palisade/loader.sock';
const loaderInGuest = '/usr/bin/palisade-loader';

/** A machine in which a loader serves, as it does in the pod, but without a container. */
export type LoaderMachine = {
  readonly machine: Machine;
  /** Unix socket of this host that leads to the loader, as the agent's user. */
  readonly socket: string;
  /** Starts the loader (again) and waits until it listens. */
  readonly startLoader: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** kill -9, and waits for its end. */
  readonly killLoader: () => Promise<void>;
  /** What the loader has written to its standard error since its last start. */
  readonly loaderLog: () => string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export async function bootLoaderMachine(options: {
  readonly cache: string;
  readonly kernel: Kernel;
  readonly build: LoaderBuild;
  readonly emulation?: Emulation;
  readonly files?: ReadonlyMap<string, string>;
  /** Added to the kernel's command line. */
  readonly bootArguments?: string;
}): Promise<LoaderMachine> {
  const machine = await bootMachine({ ...options, files: new Map([...(options.files ?? []), [loaderPath(options.build), loaderInGuest]]) });
  let running: Running | undefined;
  let log = '';
  let bridge: SocketBridge | undefined;
  const startLoader: LoaderMachine['startLoader'] = async (env = {}) => {
    log = '';
    const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    // The socket of one that was killed is still there, and must not be taken for the new one's.
    await machine.run(['rm', '-f', guestSocket]);
    const script = 'mkdir -p /run/palisade /var/lib/palisade/loader; ulimit -l unlimited; exec env "$@"';
    const command = [
      ...assignments,
      loaderInGuest,
      'serve',
      '--socket',
      guestSocket,
      '--state',
      '/var/lib/palisade/loader',
      '--peer-uid',
      String(agentUid),
    ];
    const keep = (chunk: Buffer): void => {
      log += chunk.toString();
    };
    running = machine.start(['sh', '-c', script, 'sh', ...command], { onStderr: keep, onStdout: keep });
    // The result is looked at by killLoader; until then an end is seen by the socket.
    running.result.catch(() => undefined);
    await waitUntil(
      'the loader to listen',
      async () => ((await machine.run(['test', '-S', guestSocket])).status === 0 ? true : undefined),
      {
        timeoutMs: 30_000,
      },
    ).catch((error: unknown) => {
      throw new Error(`loader on ${machine.kernel.name}: ${log.slice(-3000)}`, { cause: error });
    });
    bridge ??= await bridgeSocket(machine, guestSocket, agentUid);
  };
  try {
    await startLoader();
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
  return {
    machine,
    socket: bridge?.path ?? '',
    startLoader,
    killLoader: async () => {
      running?.kill(9);
      await running?.result.catch(() => undefined);
    },
    loaderLog: () => log,
    [Symbol.asyncDispose]: async () => {
      await bridge?.[Symbol.asyncDispose]();
      await machine[Symbol.asyncDispose]();
    },
  };
}
