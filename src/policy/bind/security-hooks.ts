/**
 * LSM hooks and the security_* functions that call them. The tables hold for all tested kernels, which `security-hooks.test.ts` shows from
 * their types; they are tables because nodes and the hub decide without types, and must decide alike.
 */

/** Hooks whose function is neither `security_HOOK` nor, for hooks that end with `_security`, that without the end. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['settime', 'security_settime64'],
  ['vm_enough_memory', 'security_vm_enough_memory_mm'],
  ['socket_sock_rcv_skb', 'security_sock_rcv_skb'],
  ['sk_clone_security', 'security_sk_clone'],
  ['cred_prepare', 'security_prepare_creds'],
  ['cred_transfer', 'security_transfer_creds'],
  ['userns_create', 'security_create_user_ns'],
  ['ib_alloc_security', 'security_ib_alloc_security'],
  ['ib_free_security', 'security_ib_free_security'],
  ['tun_dev_alloc_security', 'security_tun_dev_alloc_security'],
  ['tun_dev_free_security', 'security_tun_dev_free_security'],
]);
const SUFFIX = '_security';
/** `bprm_check_security` and the like: functions that are called without the end of the hook's name. */
const SUFFIXED: ReadonlySet<string> = new Set([
  'bprm_check',
  'file_alloc',
  'file_free',
  'inode_alloc',
  'inode_free',
  'sb_alloc',
  'sb_free',
  'sk_alloc',
  'sk_free',
  'shm_alloc',
  'shm_free',
  'sem_alloc',
  'sem_free',
  'msg_queue_alloc',
  'msg_queue_free',
  'msg_msg_alloc',
  'msg_msg_free',
]);
const HOOK_OF_FUNCTION: ReadonlyMap<string, string> = new Map([
  ...[...OTHER_NAMES].map(([hook, name]) => [name, hook] as const),
  ...Array.from(SUFFIXED, (name) => [`security_${name}`, `${name}${SUFFIX}`] as const),
]);

/** The function that calls a hook. */
export function functionOfHook(hook: string): string {
  const bare = hook.endsWith(SUFFIX) ? hook.slice(0, -SUFFIX.length) : '';
  return OTHER_NAMES.get(hook) ?? `security_${SUFFIXED.has(bare) ? bare : hook}`;
}

/** The hook that a function calls; undefined for functions that are called otherwise. */
export function hookOfFunction(functionName: string): string | undefined {
  return HOOK_OF_FUNCTION.get(functionName) ?? /^security_(.+)$/.exec(functionName)?.[1];
}

/** How many arguments hook and function have in common, from the first on; those that are not here have all. */
const SHARED_ARGUMENTS: ReadonlyMap<string, number> = new Map([
  ['getprocattr', 1],
  ['setprocattr', 0],
  ['ib_alloc_security', 0],
  ['tun_dev_alloc_security', 0],
  ['inode_alloc_security', 1],
  ['inode_init_security', 3],
  ['inode_rename', 4],
  ['path_rename', 4],
  // 6.1 hands the function what maps ids first.
  ['inode_setattr', 0],
  ['lsmprop_to_secctx', 2],
  ['mmap_file', 1],
  ['xfrm_decode_session', 2],
  // Other kernels have other arguments here; nothing is lost by not relying on them.
  ['vm_enough_memory', 0],
  ['inode_getsecurity', 0],
  ['inode_copy_up_xattr', 0],
  ['socket_getpeersec_stream', 0],
  ['socket_getpeersec_dgram', 0],
  ['secid_to_secctx', 0],
  ['sk_alloc_security', 0],
  ['sk_free_security', 0],
]);

export function sharedArguments(hook: string): number {
  return SHARED_ARGUMENTS.get(hook) ?? Number.POSITIVE_INFINITY;
}

/** Hooks that tell and do not ask: the kernel ignores what programs return from them, so nothing can be denied there. */
const TELLING: ReadonlySet<string> = new Set(
  `
  audit_rule_free backing_file_free bdev_free_security bpf_map_free bpf_map_free_security bpf_prog_free bpf_prog_free_security
  bpf_token_free bprm_committed_creds bprm_committing_creds cred_free cred_getlsmprop cred_getsecid cred_transfer
  current_getlsmprop_subj current_getsecid_subj d_instantiate file_free_security file_release file_set_fowner ib_free_security
  inet_conn_established inet_csk_clone initramfs_populated inode_free_security inode_free_security_rcu inode_getlsmprop
  inode_getsecid inode_invalidate_secctx inode_post_create_tmpfile inode_post_remove_acl inode_post_removexattr inode_post_set_acl
  inode_post_setattr inode_post_setxattr ipc_getlsmprop ipc_getsecid key_free key_post_create_or_update msg_msg_free_security
  msg_queue_free_security path_post_mknod perf_event_free release_secctx req_classify_flow sb_delete sb_free_mnt_opts
  sb_free_security sctp_sk_clone secmark_refcount_dec secmark_refcount_inc sem_free_security shm_free_security sk_clone_security
  sk_free_security sk_getsecid sock_graft task_free task_getlsmprop_obj task_getsecid task_getsecid_obj task_to_inode
  tun_dev_free_security xfrm_policy_free_security xfrm_state_free_security
`
    .trim()
    .split(/\s+/),
);

export function isTellingHook(hook: string): boolean {
  return TELLING.has(hook);
}
