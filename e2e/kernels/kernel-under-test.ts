import type { LinkPod, LinkPolicy } from '../../src/linker/link-input.ts';
import { EMPTY_ALLOCATION, type Allocation } from '../../src/linker/allocation.ts';
import { openFrameConnection } from '../../src/nodeagent/loader/frame-connection.ts';
import { GenerationDriver } from '../../src/nodeagent/loader/generation-driver.ts';
import { readKernelFacts } from '../../src/nodeagent/loader/kernel-facts-reader.ts';
import { createLoaderClient, type LoaderClient, type LoaderCounters, type LoaderHello } from '../../src/nodeagent/loader/loader-client.ts';
import type { ScopeWish } from '../../src/nodeagent/loader/scope-sync.ts';
import type { Meanings } from '../../src/nodeagent/events/meaning.ts';
import type { EngineResult } from '../../src/nodeagent/state/engine-port.ts';
import type { RunningPolicy } from '../../src/nodeagent/state/running.ts';
import type { KernelFacts } from '../../src/policy/kernel-facts.ts';
import { systemClock } from '../../src/telemetry/clock.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import type { LoaderBuild } from '../../scripts/loader-build.ts';
import { cacheFolder } from '../host/cache.ts';
import type { CommandResult, Running } from '../vm/channel.ts';
import { fetchKernels, type KernelName } from '../vm/kernels.ts';
import { bootLoaderMachine, type LoaderMachine } from '../vm/loader-machine.ts';
import type { Emulation } from '../vm/machine.ts';
import { actorProgram } from './actor-program.ts';
import { createRecordLog, type RecordLog } from './record-log.ts';

/** Where the actor lies in a machine; copies under other names are other binaries to policies. */
export const actor = '/t/bin/actor';
export const binaries = ['/t/bin/a', '/t/bin/b', '/t/bin/c'] as const;

/** Files of every machine. What tests deny lies under /t, so that the machine itself goes on. */
const files = ['/t/a', '/t/a.conf', '/t/secret/one', '/t/secret/two.conf', '/t/free/one', '/t/free/deep/er/file.conf', '/t/log'] as const;

const answerTimeoutMs = 120_000;

export type Verdict = {
  readonly pid: number;
  /** errno of the call, 0 if it worked, minus the signal that ended the process. */
  readonly status: number;
};

/** One call that a new process makes. */
export type Act = {
  readonly uid?: number;
  readonly cgroup?: string;
  readonly binary?: string;
  readonly verb?: 'open' | 'write' | 'open-deep' | 'open-detached';
  readonly path: string;
};

/** A kernel in a machine with the product's loader in it, driven by the product's linker, driver and client from here. */
export type KernelUnderTest = {
  readonly vm: LoaderMachine;
  readonly records: RecordLog;
  /** What the loader said when it was met last. */
  readonly hello: () => LoaderHello;
  readonly facts: () => KernelFacts;
  readonly client: () => LoaderClient;
  readonly generation: () => number;
  /** What the numbers in records mean. */
  readonly meanings: Meanings;
  /** Makes exactly these policies active, or throws what the driver blames. */
  readonly apply: (policies: readonly LinkPolicy[], pods?: readonly LinkPod[]) => Promise<ReadonlyMap<string, RunningPolicy>>;
  /** The same, for tests of refusals. */
  readonly tryApply: (policies: readonly LinkPolicy[], pods?: readonly LinkPod[]) => Promise<EngineResult>;
  /** Tells the kernel of pods and cgroups, as the agent does. */
  readonly setScope: (wish: ScopeWish) => Promise<void>;
  readonly counters: () => Promise<LoaderCounters>;
  readonly act: (act: Act) => Promise<Verdict>;
  readonly actAll: (acts: readonly Act[]) => Promise<readonly Verdict[]>;
  readonly runActor: (...args: string[]) => Promise<CommandResult>;
  readonly startActor: (...args: string[]) => Running;
  /** Ends the loader by SIGKILL and starts another; says what the new one answers to HELLO. */
  readonly restartLoader: () => Promise<LoaderHello>;
  /** Programs, maps and links in the kernel. */
  readonly bpfObjects: () => Promise<readonly number[]>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type BootOptions = {
  readonly emulation?: Emulation;
  readonly bootArguments?: string;
  /** The build with fault points, unless said otherwise. */
  readonly build?: LoaderBuild;
};

export async function bootKernel(name: KernelName, options: BootOptions = {}): Promise<KernelUnderTest> {
  const cache = cacheFolder(process.env);
  const [kernel] = await fetchKernels(cache, [name]);
  if (kernel === undefined) throw new Error(`kernel ${name} is not there`);
  const program = await actorProgram(cache);
  const vm = await bootLoaderMachine({ cache, kernel, build: 'faults', files: new Map([[program, actor]]), ...options });
  try {
    await makeFiles(vm);
    return await meet(vm);
  } catch (error) {
    await vm[Symbol.asyncDispose]();
    throw error;
  }
}

async function makeFiles(vm: LoaderMachine): Promise<void> {
  const copies = [...binaries, '/t/bin/victim'].map((copy) => `cp ${actor} ${copy}`);
  const made = files.map((file) => `mkdir -p $(dirname ${file}); echo text > ${file}; chmod 666 ${file}`);
  const { status, stderr } = await vm.machine.run(['sh', '-ec', [...copies, ...made].join('\n')]);
  if (status !== 0) throw new Error(`files of ${vm.machine.kernel.name}: ${stderr}`);
}

async function meet(vm: LoaderMachine): Promise<KernelUnderTest> {
  const ended = new AbortController();
  const records = createRecordLog();
  let allocation: Allocation = EMPTY_ALLOCATION;
  const store = {
    load: () => allocation,
    save: (next: Allocation) => {
      allocation = next;
      return Promise.resolve();
    },
  };
  const driver = new GenerationDriver({ store, clock: systemClock, log: silentLog, metrics: createMetrics() });
  const connect = async (): Promise<{ client: LoaderClient; hello: LoaderHello; facts: KernelFacts }> => {
    const connection = await openFrameConnection({ path: vm.socket, clock: systemClock, signal: ended.signal, answerTimeoutMs });
    const client = createLoaderClient(connection);
    const hello = await client.hello();
    const facts = readKernelFacts(hello, await client.catalogue());
    driver.connected(client, hello, facts);
    await records.subscribe(vm.socket);
    return { client, hello, facts };
  };
  let now = await connect();
  const apply: KernelUnderTest['apply'] = async (policies, pods = []) => {
    const result = await driver.apply(policies, pods);
    if (!result.ok) throw new Error(`apply on ${vm.machine.kernel.name}: ${JSON.stringify(result)}\n${vm.loaderLog().slice(-2000)}`);
    return result.running;
  };
  const actAll: KernelUnderTest['actAll'] = async (acts) => {
    const lines = acts.map(
      ({ uid = 0, cgroup = '-', binary = actor, verb = 'open', path }) => `${uid} ${cgroup} ${binary} ${verb} ${path}\n`,
    );
    const { status, stdout, stderr } = await vm.machine.run([actor, 'serve'], { input: lines.join('') });
    if (status !== 0) throw new Error(`actor: status ${status}: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [pid, result] = line.split(' ').map(Number);
        if (pid === undefined || result === undefined || (result >= 200 && result <= 202)) throw new Error(`actor: ${line}`);
        return { pid, status: result };
      });
  };
  return {
    vm,
    records,
    hello: () => now.hello,
    facts: () => now.facts,
    client: () => now.client,
    generation: () => driver.generation,
    meanings: driver.meanings,
    apply,
    tryApply: (policies, pods = []) => driver.apply(policies, pods),
    setScope: (wish) => driver.setScope(wish),
    counters: () => now.client.counters(),
    actAll,
    act: async (act) => {
      const [verdict] = await actAll([act]);
      if (verdict === undefined) throw new Error('actor: no answer');
      return verdict;
    },
    runActor: (...args) => vm.machine.run([actor, ...args]),
    startActor: (...args) => vm.machine.start([actor, ...args]),
    restartLoader: async () => {
      await vm.killLoader();
      driver.disconnected();
      await vm.startLoader();
      now = await connect();
      return now.hello;
    },
    bpfObjects: async () => (await vm.machine.run([actor, 'bpf'])).stdout.trim().split(' ').map(Number),
    [Symbol.asyncDispose]: async () => {
      records.unsubscribe();
      ended.abort();
      await vm[Symbol.asyncDispose]();
    },
  };
}
