import type { PlanArg, PlanHook } from '../plan.ts';

/** Names that a kernel gives to arguments and fields: `file`, `filename`. */
export type ArgumentNames = (hook: PlanHook, index: number) => string | undefined;

const TEXT_NOUNS: Readonly<Partial<Record<PlanArg['type'], string>>> = {
  string: 'the text',
  filename: 'the path',
  path: 'the path',
  file: 'the path of the file',
  dentry: 'the path',
  fd: 'the path of the file descriptor',
  kiocb: 'the path of the file',
  linux_binprm: 'the path of the program',
  char_buf: 'the content',
  char_iovec: 'the content',
  iov_iter: 'the content',
  data_loc: 'the text',
  net_device: 'the name of the device',
  sockaddr_un: 'the path of the socket',
};

/** What a filter on the argument compares: `the path of the file in argument 0 (file)`. `arg` is a position in `hook.args`. */
export function valueName(hook: PlanHook, arg: number, names: ArgumentNames): string {
  const declared = hook.args[arg];
  if (declared === undefined) return `argument ${arg}`;
  const noun = TEXT_NOUNS[declared.type];
  const place = placeName(hook, declared, names);
  return noun === undefined ? place : `${noun} in ${place}`;
}

/** `argument 0 (file)`, `field 4 (filename)`, `the return value`, `argument 1 (size), resolved to mm.owner`. */
export function placeName(hook: PlanHook, arg: PlanArg, names: ArgumentNames): string {
  const steps = arg.resolve === undefined ? '' : stepsText(arg.resolve);
  switch (arg.from) {
    case 'return':
      return `the return value${followed(steps)}`;
    case 'current_task':
      return steps === '' ? 'the current task' : `${steps} of the current task`;
    case 'pt_regs':
      return steps === '' ? 'the registers' : `register ${steps}`;
    default: {
      const noun = hook.kind === 'tracepoint' ? 'field' : 'argument';
      const known = arg.label === '' ? names(hook, arg.index) : arg.label;
      return `${noun} ${arg.index}${known === undefined ? '' : ` (${known})`}${followed(steps)}`;
    }
  }
}

function followed(steps: string): string {
  return steps === '' ? '' : `, member ${steps}`;
}

function stepsText(steps: readonly string[]): string {
  return steps.map((step, at) => (at === 0 || step.startsWith('[') ? step : `.${step}`)).join('');
}
