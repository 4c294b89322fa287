import type { Command } from 'commander';
import { ABI_HASH } from '../abi/layout.ts';
import { PLAN_FORMAT } from '../policy/plan.ts';
import { HUB_PROTOCOL_VERSION } from '../protocol/hub-frames.ts';
import type { CliIo } from './cli-io.ts';

export function addVersionCommand(program: Command, io: CliIo, version: string): void {
  program
    .command('version')
    .description('Print the version and what it is compatible with')
    .action(() => {
      const abi = ABI_HASH.toString(16).padStart(16, '0');
      io.stdout.write(
        `palisade ${version}\nplan format ${PLAN_FORMAT}, hub protocol ${HUB_PROTOCOL_VERSION}, abi ${abi}, node ${process.versions.node}\n`,
      );
    });
}
