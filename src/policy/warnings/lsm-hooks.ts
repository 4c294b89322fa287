import type { PlanArgType } from '../plan.ts';

/** A hook of the security modules that sees what the kernel took over from the caller, and the argument to filter on. */
export type BetterHook = { readonly hook: string; readonly index: number; readonly type: PlanArgType };

const FILE_OPEN: BetterHook = { hook: 'file_open', index: 0, type: 'file' };
const EXECUTED_FILE: BetterHook = { hook: 'bprm_creds_from_file', index: 1, type: 'file' };
const UNLINKED: BetterHook = { hook: 'path_unlink', index: 1, type: 'dentry' };
const MADE_FOLDER: BetterHook = { hook: 'path_mkdir', index: 0, type: 'path' };
const MADE_NODE: BetterHook = { hook: 'path_mknod', index: 0, type: 'path' };
const LINKED: BetterHook = { hook: 'path_link', index: 0, type: 'dentry' };
const SYMLINKED: BetterHook = { hook: 'path_symlink', index: 0, type: 'path' };
const RENAMED: BetterHook = { hook: 'path_rename', index: 1, type: 'dentry' };
const MODE_CHANGED: BetterHook = { hook: 'path_chmod', index: 0, type: 'path' };
const OWNER_CHANGED: BetterHook = { hook: 'path_chown', index: 0, type: 'path' };
const READ_BY_KERNEL: BetterHook = { hook: 'kernel_read_file', index: 0, type: 'file' };
const SENT: BetterHook = { hook: 'socket_sendmsg', index: 0, type: 'socket' };

/** All of them are on every recorded kernel, with this argument at this place: the test asks them. */
export const LSM_HOOKS_OF_SYSCALLS: ReadonlyMap<string, BetterHook> = new Map([
  ['sys_open', FILE_OPEN],
  ['sys_openat', FILE_OPEN],
  ['sys_openat2', FILE_OPEN],
  ['sys_creat', FILE_OPEN],
  ['sys_execve', EXECUTED_FILE],
  ['sys_execveat', EXECUTED_FILE],
  ['sys_truncate', { hook: 'path_truncate', index: 0, type: 'path' }],
  ['sys_unlink', UNLINKED],
  ['sys_unlinkat', UNLINKED],
  ['sys_rmdir', { hook: 'path_rmdir', index: 1, type: 'dentry' }],
  ['sys_mkdir', MADE_FOLDER],
  ['sys_mkdirat', MADE_FOLDER],
  ['sys_mknod', MADE_NODE],
  ['sys_mknodat', MADE_NODE],
  ['sys_link', LINKED],
  ['sys_linkat', LINKED],
  ['sys_symlink', SYMLINKED],
  ['sys_symlinkat', SYMLINKED],
  ['sys_rename', RENAMED],
  ['sys_renameat', RENAMED],
  ['sys_renameat2', RENAMED],
  ['sys_chmod', MODE_CHANGED],
  ['sys_fchmodat', MODE_CHANGED],
  ['sys_fchmodat2', MODE_CHANGED],
  ['sys_chown', OWNER_CHANGED],
  ['sys_lchown', OWNER_CHANGED],
  ['sys_fchownat', OWNER_CHANGED],
  ['sys_chroot', { hook: 'path_chroot', index: 0, type: 'path' }],
  ['sys_mount', { hook: 'sb_mount', index: 1, type: 'path' }],
  ['sys_pivot_root', { hook: 'sb_pivotroot', index: 1, type: 'path' }],
  ['sys_move_mount', { hook: 'move_mount', index: 1, type: 'path' }],
  ['sys_connect', { hook: 'socket_connect', index: 1, type: 'sockaddr' }],
  ['sys_bind', { hook: 'socket_bind', index: 1, type: 'sockaddr' }],
  ['sys_sendto', SENT],
  ['sys_sendmsg', SENT],
  ['sys_finit_module', READ_BY_KERNEL],
  ['sys_kexec_file_load', READ_BY_KERNEL],
]);

export function lsmHookOfSyscall(syscall: string): BetterHook | undefined {
  return LSM_HOOKS_OF_SYSCALLS.get(syscall);
}
