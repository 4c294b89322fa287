import { Option, type Command } from 'commander';
import { ABI_HASH } from '../abi/layout.ts';
import { PLAN_FORMAT } from '../policy/plan.ts';
import { HUB_PROTOCOL_VERSION } from '../protocol/hub-frames.ts';
import type { CliIo } from './cli-io.ts';

type VersionFlags = { readonly output?: 'json' };

const EXAMPLES = `
Examples:
  palisade version
  palisade version -o json        for bug reports and scripts

Agent, loader and programs of a node work together when their abi is equal.`;

export function addVersionCommand(program: Command, io: CliIo, version: string): void {
  program
    .command('version')
    .description('Print the version and what it is compatible with')
    .addOption(new Option('-o, --output <format>', 'for programs').choices(['json']))
    .addHelpText('after', EXAMPLES)
    .action(({ output }: VersionFlags) => {
      const abi = ABI_HASH.toString(16).padStart(16, '0');
      const { node } = process.versions;
      io.stdout.write(
        output === 'json'
          ? `${JSON.stringify({ version, planFormat: PLAN_FORMAT, hubProtocol: HUB_PROTOCOL_VERSION, abi, node }, null, 2)}\n`
          : `palisade ${version}\nplan format ${PLAN_FORMAT}, hub protocol ${HUB_PROTOCOL_VERSION}, abi ${abi}, node ${node}\n`,
      );
    });
}
