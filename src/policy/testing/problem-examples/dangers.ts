import { type Examples, hook, onFile, onSocket, selector, times, warned } from './example.ts';

const DENY = 'matchActions: [{ action: Override, argError: -1 }]';
const KILL = 'matchActions: [{ action: Sigkill }]';
const equal = (path: string): string => `matchArgs: [{ index: 0, operator: Equal, values: [${path}] }]`;
const inPods = (hooks: string): string => `podSelector: {}\n${hooks}`;

/** What is valid and dangerous. */
export const DANGER_EXAMPLES = {
  EveryProgram: warned(
    inPods(hook('lsmhooks', 'hook: bprm_check_security', ...selector(DENY))),
    inPods(
      hook(
        'lsmhooks',
        'hook: bprm_check_security',
        'args: [{ index: 0, type: linux_binprm }]',
        ...selector('matchArgs: [{ index: 0, operator: Postfix, values: [/nc] }]', DENY),
      ),
    ),
  ),
  CommonFile: warned(
    inPods(onFile('matchArgs: [{ index: 0, operator: Prefix, values: [/etc/] }]', DENY)),
    inPods(onFile('matchArgs: [{ index: 0, operator: Prefix, values: [/etc/kubernetes/] }]', DENY)),
  ),
  NoScope: warned(onFile(equal('/etc/shadow'), DENY), inPods(onFile(equal('/etc/shadow'), DENY))),
  ReadingAsWell: warned(
    hook(
      'lsmhooks',
      'hook: file_open',
      'message: the password file is written',
      'args: [{ index: 0, type: file }]',
      ...selector(equal('/etc/shadow')),
    ),
    hook(
      'lsmhooks',
      'hook: file_permission',
      'message: the password file is written',
      'args: [{ index: 0, type: file }, { index: 1, type: int }]',
      ...selector(
        'matchArgs:',
        '  - { index: 0, operator: Equal, values: [/etc/shadow] }',
        '  - { index: 1, operator: Equal, values: ["2"] }',
      ),
    ),
  ),
  ArgumentCanChange: warned(
    inPods(
      hook(
        'kprobes',
        'call: sys_openat',
        'args: [{ index: 1, type: string }]',
        ...selector(equal('/etc/shadow').replace('index: 0', 'index: 1'), DENY),
      ),
    ),
    inPods(onFile(equal('/etc/shadow'), DENY)),
  ),
  KillWithoutDeny: warned(
    inPods(hook('kprobes', 'call: sys_unlinkat', ...selector(KILL))),
    inPods(hook('kprobes', 'call: sys_unlinkat', ...selector('matchActions: [{ action: Override, argError: -1 }, { action: Sigkill }]'))),
  ),
  EverySyscall: warned(hook('tracepoints', 'subsystem: raw_syscalls', 'event: sys_enter'), hook('kprobes', 'call: sys_setuid')),
  HotHook: warned(
    hook('lsmhooks', 'hook: file_permission'),
    hook('lsmhooks', 'hook: file_permission', ...selector('matchBinaries: [{ operator: In, values: [/usr/bin/nc] }]')),
  ),
  UnsteadyFunction: warned(
    hook('kprobes', 'call: do_init_module', 'syscall: false'),
    hook('tracepoints', 'subsystem: module', 'event: module_load'),
  ),
  OneAddressFamily: warned(
    onSocket('matchArgs: [{ index: 0, operator: NotDAddr, values: [10.0.0.0/8] }]'),
    onSocket('matchArgs: [{ index: 0, operator: NotDAddr, values: [10.0.0.0/8, "fd00::/8"] }]'),
  ),
  ImplicitException: warned(
    inPods(
      hook('lsmhooks', 'hook: socket_connect', ...selector('matchBinaries: [{ operator: In, values: [/usr/bin/nc] }]'), `  - ${DENY}`),
    ),
    inPods(hook('lsmhooks', 'hook: socket_connect', ...selector('matchBinaries: [{ operator: In, values: [/usr/bin/nc] }]', DENY))),
  ),
  UnreachableSelector: warned(
    inPods(
      hook(
        'lsmhooks',
        'hook: socket_connect',
        ...selector('matchActions: [{ action: Post }]'),
        '  - matchBinaries: [{ operator: In, values: [/usr/bin/nc] }]',
        `    ${DENY}`,
      ),
    ),
    inPods(
      hook(
        'lsmhooks',
        'hook: socket_connect',
        'selectors:',
        '  - matchBinaries: [{ operator: In, values: [/usr/bin/nc] }]',
        `    ${DENY}`,
        '  - matchActions: [{ action: Post }]',
      ),
    ),
  ),
  TooManyProblems: warned(
    `lists:\n${times(101, (at) => `  - { name: list-${at}, values: [tcp_connect] }\n`).join('')}${hook('lsmhooks', 'hook: file_open')}`,
    hook('lsmhooks', 'hook: file_open'),
  ),
} satisfies Examples;
