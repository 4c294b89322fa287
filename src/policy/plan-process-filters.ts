import type { LinuxNamespace } from './plan.ts';

/**
 * On the path of the executable, as recorded at exec. 1…1023 bytes (Postfix: 1…248), sorted by bytes; absolute paths, save for Postfix. A
 * process whose parent is not known is unknown for `of: parent`.
 */
export type PlanBinaryFilter = {
  readonly on: 'binary';
  readonly operator: 'In' | 'NotIn' | 'Prefix' | 'NotPrefix' | 'Postfix' | 'NotPostfix';
  readonly values: readonly string[];
  /** Whose executable; absent: the process's own. */
  readonly of?: 'parent';
  /** In holds for descendants of such a process too, NotIn for none of them. */
  readonly followChildren?: true;
};

/** On the process id (thread group id). */
export type PlanPidFilter = {
  readonly on: 'pid';
  readonly operator: 'In' | 'NotIn';
  /** Decimal; sorted by number. */
  readonly values: readonly string[];
  /**
   * The id inside the innermost pid namespace. Of a process in the host's it is 0; with `followForks` such a process matches neither In
   * nor NotIn, and as an ancestor it has no id (as upstream).
   */
  readonly isNamespacePid?: true;
  /** In holds for descendants of such a process too, NotIn for none of them. */
  readonly followForks?: true;
};

/** In: one of these namespaces of the process is another than at its exec; NotIn: none is. */
export type PlanNamespaceChangeFilter = {
  readonly on: 'namespaceChange';
  readonly operator: 'In' | 'NotIn';
  readonly namespaces: readonly LinuxNamespace[];
};

/** On a Linux namespace of the process. Values: decimal inode numbers (uint32) and `host_ns` (that of pid 1, read at link time). */
export type PlanNamespaceFilter = {
  readonly on: 'namespace';
  readonly namespace: LinuxNamespace;
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
};

/** On the Kubernetes namespace of the process's pod. A process outside pods matches neither In nor NotIn. */
export type PlanPodNamespaceFilter = {
  readonly on: 'podNamespace';
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
};

/** In: the process has at least one capability of the mask; NotIn: it has none of them. */
export type PlanCapabilityFilter = {
  readonly on: 'capability';
  readonly set: 'effective' | 'permitted' | 'inheritable';
  readonly operator: 'In' | 'NotIn';
  /** 64-bit mask, decimal, never 0. */
  readonly mask: string;
  /** True: what a task in the host's user namespace has does not count, so In never holds for it and NotIn always does. */
  readonly isNamespaceCapability: boolean;
};

/** In: one of the capabilities was gained or lost since the process's exec; NotIn: none of them was. */
export type PlanCapabilityChangeFilter = Omit<PlanCapabilityFilter, 'on'> & { readonly on: 'capabilityChange' };
