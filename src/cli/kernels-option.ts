import { Option } from 'commander';

/** `--kernels 5.10,6.12 --kernels node.kernel`. Takes one word at a time: files to look at may follow it. */
export function kernelsOption(description: string): Option {
  let given: readonly string[] = [];
  return new Option('--kernels <list>', description).argParser((word: string) => {
    given = [...given, word];
    return given;
  });
}
