/** Every code that a problem with a policy's text can have: stable API, each with an anchor in docs/errors.md. */
export type ProblemCodeEntry = {
  readonly name: string;
  /** What it means and what would be right; one or two sentences. */
  readonly summary: string;
};

export const PROBLEM_CODES = [
  { name: 'NotYaml', summary: 'The text is neither YAML nor JSON, or uses something of YAML that Kubernetes does not know.' },
  { name: 'NotUtf8', summary: 'The text is not encoded as UTF-8.' },
  { name: 'DuplicateField', summary: 'A field is given twice in one object: YAML silently keeps one of the two.' },
  { name: 'BadAlias', summary: 'A YAML alias has no anchor before it, or stands inside what it stands for.' },
  {
    name: 'TooLarge',
    summary: 'The file or document is larger than an API server stores, or becomes so when its YAML aliases are written out.',
  },
  { name: 'NotAnObject', summary: 'The document is not a Kubernetes object.' },
  { name: 'UnknownKind', summary: 'The object is neither a TracingPolicy nor a TracingPolicyNamespaced of cilium.io/v1alpha1.' },
  { name: 'BadName', summary: 'The name is no DNS subdomain, or the namespace is missing or no DNS label.' },
  { name: 'TooDeep', summary: 'The object is nested deeper than any policy needs to be.' },
  {
    name: 'UnknownField',
    summary:
      'The language has no such field. Misspelt fields would be ignored silently elsewhere and make a policy match more than was meant.',
  },
  { name: 'MissingField', summary: 'A required field is absent.' },
  { name: 'WrongType', summary: 'The value has the wrong YAML type, for example a number where a string must be: quote it.' },
  { name: 'WrongValue', summary: 'The value is none of those that the field allows.' },
  { name: 'OutOfRange', summary: 'A number or a list is larger or smaller than the field allows.' },
  {
    name: 'NotSupported',
    summary:
      'The field, type, operator or action belongs to the language, but this version cannot do it. docs/limits.md lists all of them.',
  },
  { name: 'NotInNamespacedPolicy', summary: 'The field or value is for cluster-wide policies only.' },
  { name: 'NoHooks', summary: 'The policy watches nothing: it has no hooks of any kind, and not "loader: true".' },
  { name: 'BadHookName', summary: 'The name of the function, hook or tracepoint cannot be one.' },
  {
    name: 'NotASyscall',
    summary:
      'The hook says "syscall: true" (which is the default), but the function is no system call: its arguments would be read wrongly. Set "syscall: false".',
  },
  { name: 'UnknownOption', summary: 'There is no such option in spec.options.' },
  { name: 'RepeatedOption', summary: 'An option is given twice.' },
  { name: 'BadOptionValue', summary: 'The option does not allow this value.' },
  { name: 'ArgIndexOutOfRange', summary: 'Arguments of functions are numbered 0 to 5.' },
  { name: 'UndeclaredArgument', summary: 'A filter names an argument that is not listed in the args of its hook.' },
  { name: 'OperatorTypeMismatch', summary: 'The operator never matches a value of this type.' },
  { name: 'NoValues', summary: 'A filter without values never matches or always does.' },
  { name: 'NotANumber', summary: 'The argument is an integer, and the value is not.' },
  { name: 'NumberOutOfRange', summary: 'The value can never be equal to an integer of this width and sign.' },
  { name: 'BadValue', summary: 'The value can never match.' },
  {
    name: 'ValueTooLong',
    summary:
      'The value is longer than the language has: 4096 bytes for Equal and Prefix, 248 for Postfix, 255 for SubString, 1023 for paths of binaries, 256 for labels.',
  },
  { name: 'UnknownCapability', summary: 'Linux has no capability of this name.' },
  {
    name: 'BadNamespaceValue',
    summary: 'Values of matchNamespaces are inode numbers or host_ns; with "namespace: Pod" they are names of Kubernetes namespaces.',
  },
  {
    name: 'BadLabelSelector',
    summary:
      'The label selector is not valid: In and NotIn need values, Exists and DoesNotExist must have none, and keys and values are such as a label of Kubernetes (or a field of a container) can have.',
  },
  {
    name: 'OverrideWithoutError',
    summary: 'The action Override needs argError, the negative error number that the call shall return, for example -1 for EPERM.',
  },
  { name: 'OverrideErrorOutOfRange', summary: 'argError must be a negative error number from -4095 to -1.' },
  { name: 'OverrideOnTracepoint', summary: 'A tracepoint cannot change what a call returns.' },
  { name: 'OverrideNotPossible', summary: 'Only system calls, security_* functions and LSM hooks can be denied.' },
  { name: 'RepeatedAction', summary: 'A selector may have one such action: a second one would undo the first.' },
  { name: 'TextTooShort', summary: 'Messages and tags have at least 2 bytes.' },
  { name: 'TextTruncated', summary: 'Messages are cut after 256 bytes, tags after 128.' },
  { name: 'TooManySelectors', summary: 'A hook of a policy has at most 64 selectors.' },
  { name: 'TooManySlots', summary: 'A hook of a policy reads at most 16 arguments.' },
  { name: 'TooManyFilters', summary: 'A selector has at most 16 filters on arguments, and 1024 in all.' },
  { name: 'TooManyActions', summary: 'A selector has at most 8 actions.' },
  { name: 'SetTooLarge', summary: 'A list of values is longer than its table.' },
  { name: 'TooManyHooks', summary: 'A policy has at most 1024 hooks.' },
  { name: 'PlanTooLarge', summary: 'The compiled policy is larger than 4 MiB: shorten its lists of values.' },
  {
    name: 'AmbiguousArgument',
    summary:
      'The number fits several values of the hook, or only as a position: the message says which one is meant. Name it by "args", its position.',
  },
  {
    name: 'ReadAtReturn',
    summary: 'A buffer with returnCopy is read when the function returns, so a filter at entry never matches it: use matchReturnArgs.',
  },
  { name: 'UnknownList', summary: 'There is no list of this name in spec.lists.' },
  { name: 'RepeatedName', summary: 'A name is given twice.' },
  { name: 'BadList', summary: 'The fields of the list do not fit its type, or a list of this type cannot stand here.' },
  {
    name: 'BadPattern',
    summary: 'The pattern is no regular expression, or one that Go and JavaScript read differently, or too large.',
  },
  {
    name: 'TypeNotUsable',
    summary: 'The type is missing where it cannot be found out, or values of this kind of hook cannot be read as this type.',
  },
  { name: 'UselessField', summary: 'The field says nothing here, and would be ignored: remove it, or do what the message says.' },
  { name: 'BadResolvePath', summary: 'resolve names members and array indices, for example "mm.owner.comm" or "fd[3].f_path".' },
  { name: 'ResolveTooDeep', summary: 'A path to resolve has at most 10 steps.' },
  { name: 'UnknownRegister', summary: 'Neither amd64 nor arm64 has a register of this name.' },
  { name: 'BadTypeName', summary: 'The name cannot be the name of a struct or of a kernel module.' },
  { name: 'ActionNotPossible', summary: 'This kind of hook, or this moment, cannot do the action; the message says where it is possible.' },
  { name: 'NoEnforcer', summary: 'NotifyEnforcer denies in the calls that spec.enforcers names, and there is none.' },
  { name: 'BadActionArgument', summary: 'The action is about an argument of another type, or the number fits two of them.' },
  { name: 'BadSignal', summary: 'Signals have numbers from 1 to 64.' },
  { name: 'BadRateLimit', summary: 'A rate limit is a number of seconds, or with a unit: 5, 5s, 1m, 1h.' },
  { name: 'BadUrl', summary: 'The address to fetch is no http or https URL.' },
  { name: 'BadDomainName', summary: 'The name to look up cannot be one.' },
  { name: 'BadRegister', summary: 'argRegs assigns to registers: "rax=11", "rbp=%rsp", "rip=8%rsp", "rbp=(%rsp)", "rsp=8(%rsp)".' },
  { name: 'TooManyRegisters', summary: 'An action sets at most 8 registers.' },
  {
    name: 'WrongArgumentCount',
    summary: 'CapabilitiesGained compares two arguments, "args: [OLD, NEW]"; every other operator compares one.',
  },
  { name: 'BadAddress', summary: 'Addresses are IPv4 or IPv6, with or without a length: 10.0.0.0/8, 2001:db8::1.' },
  {
    name: 'HostBitsIgnored',
    summary: 'The address has bits behind the length of its network, which say nothing: 10.0.0.1/8 is 10.0.0.0/8.',
  },
  { name: 'RangeReversed', summary: 'The end of a range is less than its beginning; the two are swapped, as upstream does.' },
  { name: 'AlwaysMatches', summary: 'The filter holds for every value: it says nothing.' },
  {
    name: 'FollowChildrenNotPossible',
    summary: 'followChildren works with whole paths only, that is with the operators In and NotIn.',
  },
  {
    name: 'BadExpression',
    summary:
      'The expression of CelExpr cannot be read, or its types do not fit. 42 is an int64, 42u a uint64, int32(42) an int32, uint32(42u) a uint32; nothing is converted unless it is written.',
  },
  { name: 'CelTooLarge', summary: 'An expression has at most 32 operands and operators, and a hook at most 8 expressions.' },
  { name: 'ReturnNotWatched', summary: 'What is about the return of the function is looked at only with "return: true".' },
  { name: 'BadMacro', summary: 'Macros bring blocks of a selector, save matchWorkloads, and cannot use macros.' },
  { name: 'UnknownMacro', summary: 'There is no macro of this name in spec.selectorsMacros.' },
  { name: 'RepeatedBlock', summary: 'A block of a selector comes from one place: the selector itself or one macro.' },
  { name: 'Unused', summary: 'Nothing uses what is defined here.' },
  { name: 'TooManyEnforcers', summary: 'A policy has one entry in enforcers; it names all calls.' },
  { name: 'EnforcerConflict', summary: 'The calls of the enforcer cannot be denied by the method that override-method demands.' },
  { name: 'ProbeAddressing', summary: 'A uprobe has exactly one of symbols, offsets and addrs, and as many refCtrOffsets or none.' },
  { name: 'BadFilePath', summary: 'The file of a probe is an absolute path without "..".' },
  { name: 'BadDigest', summary: 'Digests are sha1, sha256, sha384, sha512 or build-id, a colon, and hexadecimal digits.' },
  {
    name: 'LoaderWithScope',
    summary: '"loader: true" is about the whole node: it cannot be had with podSelector, containerSelector or hostSelector.',
  },
  { name: 'NoSuchPolicy', summary: 'The policy of a test file cannot be read, or is not there.' },
  {
    name: 'NoSuchHook',
    summary: 'The hook of a test is none of its policies: write lsm:file_open, kprobe:sys_openat, or spec.lsmhooks[0].',
  },
  { name: 'NotRead', summary: 'A test gives a value that the hook does not read: it would test nothing.' },
  { name: 'NotGiven', summary: 'A filter compares a value that the test does not give. Give it, or write "unknown".' },
  { name: 'BadTestValue', summary: 'A value in a test does not fit its type.' },
  {
    name: 'BadExpectation',
    summary: 'What a test expects can never happen, or is no verdict: allow, deny EPERM, kill, signal SIGTERM, would deny.',
  },
  {
    name: 'EveryProgram',
    summary:
      'The selector denies or kills where every program passes when it starts, and no filter says which programs or calls are meant: nothing would start any more.',
  },
  {
    name: 'CommonFile',
    summary:
      'The filter on paths fits a file that nearly every program opens when it starts, such as /etc/ld.so.cache under /etc/: nothing would start any more.',
  },
  {
    name: 'NoScope',
    summary:
      'The policy denies or kills, and says nothing of where: every process of every node, the host included. "podSelector: {}" means all pods and no process of the host.',
  },
  {
    name: 'ReadingAsWell',
    summary:
      'The policy says that it is about writing, and the hook is passed for reading too. file_permission has a mask: 2 is writing, 4 reading.',
  },
  {
    name: 'ArgumentCanChange',
    summary:
      'Time of check, time of use: the filter reads memory of the process at the entry of the system call, and another thread can change it before the kernel copies it. LSM hooks see what the kernel uses.',
  },
  {
    name: 'KillWithoutDeny',
    summary:
      'SIGKILL takes effect when the call returns to the program: until then the call completes. Override denies it; the two can stand together.',
  },
  {
    name: 'EverySyscall',
    summary: 'The hook runs at every system call of every process, whatever its filters let through: everything becomes slower.',
  },
  {
    name: 'HotHook',
    summary: 'Every call of something that is called all the time sends an event: most of them are lost, and all cost time.',
  },
  {
    name: 'UnsteadyFunction',
    summary:
      'Nothing keeps functions inside the kernel as they are: other versions rename or inline them or change their arguments. System calls, LSM hooks and tracepoints stay.',
  },
  {
    name: 'OneAddressFamily',
    summary:
      'A negated filter on addresses has values of IPv4 only, or of IPv6 only: an address of the other family matches neither the filter nor its negation, so it is let pass.',
  },
  {
    name: 'ImplicitException',
    summary:
      'A selector without actions reports and lets pass what it matches, and a selector without filters after it stops all the rest: probably the contrary of what is meant.',
  },
  { name: 'UnreachableSelector', summary: 'The selector before this one has no filters, so it always acts and this one never.' },
  {
    name: 'ASyscall',
    summary:
      'The hook says "syscall: false", but the function is the entry of a system call: its only argument are the saved registers. Set "syscall: true".',
  },
  { name: 'TooManyProblems', summary: 'There are more problems than are listed.' },
] as const satisfies readonly ProblemCodeEntry[];

export type ProblemCode = (typeof PROBLEM_CODES)[number]['name'];
