import type { Command } from 'commander';
import type { CliIo } from './cli-io.ts';

export type CommandContext = { readonly io: CliIo; readonly version: string };

export type CommandEntry = {
  readonly name: string;
  readonly group: 'Policies:' | 'Clusters and nodes:' | 'Other:';
  readonly add: (program: Command, context: CommandContext) => Promise<void>;
};

/** All commands. Each brings its own libraries: only those of the one that is run are loaded, which a person and a slow node notice. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'lint',
    group: 'Policies:',
    add: async (program, { io, version }) => (await import('./lint-command.ts')).addLintCommand(program, io, version),
  },
  {
    name: 'explain',
    group: 'Policies:',
    add: async (program, { io }) => (await import('./explain-command.ts')).addExplainCommand(program, io),
  },
  {
    name: 'test',
    group: 'Policies:',
    add: async (program, { io }) => (await import('./test-command.ts')).addTestCommand(program, io),
  },
  {
    name: 'diff',
    group: 'Policies:',
    add: async (program, { io }) => (await import('./diff-command.ts')).addDiffCommand(program, io),
  },
  {
    name: 'plan',
    group: 'Policies:',
    add: async (program, { io }) => (await import('./plan-command.ts')).addPlanCommand(program, io),
  },
  {
    name: 'facts',
    group: 'Policies:',
    add: async (program, { io }) => (await import('./facts-command.ts')).addFactsCommand(program, io),
  },
  {
    name: 'status',
    group: 'Clusters and nodes:',
    add: async (program, { io }) => (await import('./status-command.ts')).addStatusCommand(program, io),
  },
  {
    name: 'events',
    group: 'Clusters and nodes:',
    add: async (program, { io }) => (await import('./events-command.ts')).addEventsCommand(program, io),
  },
  {
    name: 'node',
    group: 'Clusters and nodes:',
    add: async (program, { io }) => (await import('./node-command.ts')).addNodeCommand(program, io),
  },
  {
    name: 'run',
    group: 'Clusters and nodes:',
    add: async (program, { io, version }) => (await import('./run-command.ts')).addRunCommand(program, io, version),
  },
  {
    name: 'uninstall',
    group: 'Clusters and nodes:',
    add: async (program, { io }) => (await import('./uninstall-command.ts')).addUninstallCommand(program, io),
  },
  {
    name: 'completion',
    group: 'Other:',
    add: async (program, context) => (await import('./completion-command.ts')).addCompletionCommand(program, context),
  },
  {
    name: 'version',
    group: 'Other:',
    add: async (program, { io, version }) => (await import('./version-command.ts')).addVersionCommand(program, io, version),
  },
];

/** Puts one command, or all of them, into a program. */
export async function addCommands(program: Command, context: CommandContext, entries: readonly CommandEntry[]): Promise<void> {
  for (const { name, group, add } of entries) {
    await add(program, context);
    program.commands.find((command) => command.name() === name)?.helpGroup(group);
  }
}
