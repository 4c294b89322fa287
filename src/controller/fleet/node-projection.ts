import type { KubeObject } from '../../kube/kube-object.ts';

/** A Node object as the controller keeps it (metadata only). */
export type NodeItem = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

export function projectNode(object: KubeObject): NodeItem {
  return { name: object.metadata.name, labels: object.metadata.labels ?? {} };
}

/** Nodes without the label are taken for Linux: kubelets set it, and an agent that is there proves it. */
export function isLinux(node: NodeItem): boolean {
  return (node.labels['kubernetes.io/os'] ?? 'linux') === 'linux';
}
