/** Names of the types in a plan, by what filters can do with a value; `plan.ts` has the two that are none of these. */

/** Integer types by width and sign. `size_t` is `uint64`, `int` is `int32`, `long` is `int64`. */
export type PlanIntType = 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64';
/** Values that filters compare as bytes. */
export type PlanTextType =
  | 'string'
  | 'filename'
  | 'path'
  | 'file'
  | 'dentry'
  | 'fd'
  | 'kiocb'
  | 'linux_binprm'
  | 'char_buf'
  | 'char_iovec'
  | 'iov_iter'
  | 'data_loc'
  | 'net_device'
  | 'sockaddr_un';
/** Values with addresses, ports, family, protocol and state. */
export type PlanSocketType = 'sock' | 'socket' | 'skb' | 'sockaddr';
/** 64-bit sets of capabilities. */
export type PlanCapabilitySetType = 'kernel_cap_t' | 'cap_effective' | 'cap_permitted' | 'cap_inheritable';
/** Integers with names: compared as unsigned numbers. */
export type PlanNamedIntType = 'capability' | 'bpf_cmd' | 'syscall64';
/** Values that events show and filters do not compare. */
export type PlanShownType =
  | 'cred'
  | 'user_namespace'
  | 'const_buf'
  | 'bpf_attr'
  | 'bpf_map'
  | 'bpf_prog'
  | 'perf_event'
  | 'load_info'
  | 'module';
