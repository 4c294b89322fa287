import { Option, type Command } from 'commander';
import { didYouMean } from '../policy/nearest.ts';
import { CliError, type CliIo, tell, writeOut } from './cli-io.ts';
import { diffFacts } from './facts-diff.ts';
import { findNames } from './facts-find.ts';
import { type FactsSummary, abilityRows, summarizeFacts } from './facts-summary.ts';
import { type NamedKernel, readKernel, readKernels } from './kernel-choice.ts';
import { kernelsOption } from './kernels-option.ts';
import { styleOf } from './output-style.ts';
import { formatTable } from './table.ts';

type Output = { readonly output: 'text' | 'json' };
type FindFlags = { readonly kernels: readonly string[] };

/** What fits on a screen. */
const MAX_FOUND = 40;

const EXAMPLES = `
Examples:
  palisade facts                              the recorded kernels, and what they can do
  palisade facts show 6.12
  palisade facts show node.kernel -o json     a kernel of your own (palisade-loader record > node.kernel)
  palisade facts find unlink                  what can be hooked, on which kernels, and what its arguments are
  palisade facts diff 5.10 6.12               what one has and the other has not, down to function names

A kernel is the name of a recorded one, or a file (with a "/" or ".kernel" in its name).

Exit codes: 0 shown ("diff": no difference), 1 "diff" found differences or "find" nothing, 2 could not run.`;

export function addFactsCommand(program: Command, io: CliIo): void {
  const facts = program
    .command('facts')
    .description('Show what kernels can do, from recordings')
    .addOption(outputOption())
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments()
    .action((flags: Output, command: Command) => {
      const [word] = command.args;
      if (word === undefined) return list(flags, io);
      const names = command.commands.map((one) => one.name());
      throw new CliError(
        `unknown command ${JSON.stringify(`facts ${word.slice(0, 64)}`)}; ${didYouMean(word, names) ?? `there are ${names.join(', ')}`}`,
      );
    });
  // Options of `facts` itself are for the list.
  facts
    .command('list')
    .description('List the recorded kernels')
    .addOption(outputOption())
    .action((_flags: Output, command: Command) => list(command.optsWithGlobals<Output>(), io));
  facts
    .command('show')
    .description('Show everything about one kernel, save its thousands of names')
    .argument('<kernel>', 'a recorded kernel, or a file')
    .addOption(outputOption())
    .action((kernel: string, _flags: Output, command: Command) => show(kernel, command.optsWithGlobals<Output>(), io));
  facts
    .command('find')
    .description('Find functions, system calls, LSM hooks and tracepoints by a part of their names, with their arguments')
    .argument('<text>', 'a part of the name')
    .addOption(kernelsOption('of these only: versions with commas between, "all", or files').default(['all'], 'all'))
    .addOption(outputOption())
    .action((text: string, flags: FindFlags, command: Command) => find(text, flags, command.optsWithGlobals<Output>(), io));
  facts
    .command('diff')
    .description('Show what differs between two kernels')
    .argument('<kernel>', 'a recorded kernel, or a file')
    .argument('<other-kernel>', 'a recorded kernel, or a file')
    .addOption(outputOption())
    .action((kernel: string, other: string, _flags: Output, command: Command) =>
      diff(kernel, other, command.optsWithGlobals<Output>(), io),
    );
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'for people or programs').choices(['text', 'json']).default('text');
}

async function list({ output }: Output, io: CliIo): Promise<void> {
  const summaries = readKernels(['all']).map(summarizeFacts);
  await writeOut(io.stdout, output === 'json' ? json(summaries) : listTable(summaries));
}

function listTable(summaries: readonly FactsSummary[]): string {
  const header = ['KERNEL', 'RELEASE', 'ARCH', 'PREEMPT', 'DENIES', 'MANY PROBES AT ONCE', 'FUNCTIONS', 'LSM HOOKS', 'TRACEPOINTS'];
  const rows = summaries.map(({ name, release, arch, preempt, denies, facts, names }) => [
    name,
    release,
    arch,
    preempt,
    denies.join(', ') || 'nothing',
    facts['kprobe_multi'] === true ? 'yes' : 'no',
    ...[names.functions, names.lsmHooks, names.tracepoints].map(String),
  ]);
  return formatTable(header, rows);
}

async function show(word: string, { output }: Output, io: CliIo): Promise<void> {
  const summary = summarizeFacts(readKernel(word));
  if (output === 'json') {
    await writeOut(io.stdout, json(summary));
    return;
  }
  const { bold, green, dim } = styleOf(io, 'stdout');
  const { name, release, arch, lsm, preempt, denies, names, config } = summary;
  const head = [
    ['Kernel:', `${release} (${name}), ${arch}, preemption ${preempt}`],
    ['Active LSMs:', lsm.join(', ') || 'none known'],
    ['Denies:', denies.join(', ') || 'nothing'],
    ['Names:', `${names.functions} functions, ${names.lsmHooks} LSM hooks, ${names.tracepoints} tracepoints`],
  ] as const;
  const abilities = abilityRows(summary).map(([fact, value, meaning]) => {
    const padded = value.padEnd(4);
    return `  ${fact.padEnd(20)} ${value === 'yes' ? green(padded) : dim(padded)} ${meaning}\n`;
  });
  const options = Object.entries(config).map(([option, value]) => `  ${option}=${value}\n`);
  const lines = head.map(([title, text]) => `${bold(title.padEnd(13))} ${text}\n`);
  const build = options.length === 0 ? '' : `\n${bold('Options of the build:')}\n${options.join('')}`;
  await writeOut(io.stdout, `${lines.join('')}\n${bold('What the loader found by trying:')}\n${abilities.join('')}${build}`);
}

async function find(text: string, flags: FindFlags, { output }: Output, io: CliIo): Promise<void> {
  const kernels = readKernels(flags.kernels);
  const found = findNames(kernels, text);
  if (found.length === 0) io.setExitCode(1);
  if (output === 'json') {
    await writeOut(io.stdout, json(found));
    return;
  }
  if (found.length === 0) {
    const near = didYouMean(text, namesOfAll(kernels));
    tell(io, `nothing has ${JSON.stringify(text.slice(0, 64))} in its name${near === undefined ? '' : `; ${near}`}`);
    return;
  }
  const shown = found.slice(0, MAX_FOUND);
  const rows = shown.map((entry) => [entry.kind, entry.name, entry.kernels.join(','), entry.arguments.join(', ')]);
  await writeOut(io.stdout, formatTable(['KIND', 'NAME', 'KERNELS', 'ARGUMENTS'], rows));
  if (found.length > shown.length) io.stderr.write(`${found.length - shown.length} more; name more of it, or use -o json\n`);
}

function namesOfAll(kernels: readonly NamedKernel[]): ReadonlySet<string> {
  const catalogues = kernels.flatMap(({ facts }) => facts.catalogue ?? []);
  return new Set(catalogues.flatMap(({ lsmHooks, tracepoints, functions }) => [...lsmHooks, ...tracepoints, ...functions]));
}

async function diff(word: string, otherWord: string, { output }: Output, io: CliIo): Promise<void> {
  const [kernel, other]: readonly NamedKernel[] = [readKernel(word), readKernel(otherWord)];
  if (kernel === undefined || other === undefined) return;
  const differences = diffFacts(kernel.facts, other.facts);
  if (differences.length > 0) io.setExitCode(1);
  if (output === 'json') {
    await writeOut(io.stdout, json(differences));
    return;
  }
  const { bold, green, red } = styleOf(io, 'stdout');
  const text = differences.map(({ about, left, right }) => {
    const gone = left.map((line) => `${red(`- ${line}`)}\n`);
    const added = right.map((line) => `${green(`+ ${line}`)}\n`);
    return `${bold(about)}\n${gone.join('')}${added.join('')}`;
  });
  await writeOut(io.stdout, differences.length === 0 ? '' : `--- ${kernel.name}\n+++ ${other.name}\n${text.join('')}`);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
