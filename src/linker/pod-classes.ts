/** Gives every pod its scope class; needed at every link, and at every change of pods between links. */
import type { ContainerFacts } from '../policy/evaluate/event.ts';
import { createPicker, type NumberSpace } from './allocation.ts';
import type { LinkPod } from './link-input.ts';
import { classKey } from './scope.ts';

export type PodClasses = {
  /** By pod uid. */
  readonly byPod: ReadonlyMap<string, number>;
  /** By container id, for containers that are known. */
  readonly byContainer: ReadonlyMap<string, number>;
  /** One pod of each class: its namespace and labels, and container if it is about one, are those of all of them. */
  readonly members: ReadonlyMap<number, ClassPod>;
  /** Pods for which no class was left: they stay pending. */
  readonly unclassed: readonly string[];
  readonly space: NumberSpace;
};

export type ClassPod = LinkPod & { readonly container?: ContainerFacts };

/** Pods first: a container whose class does not fit has that of its pod. */
export function assignClasses(previous: NumberSpace, pods: readonly LinkPod[]): PodClasses {
  const picker = createPicker('classes', previous, 'latest');
  const byPod = new Map<string, number>();
  const byContainer = new Map<string, number>();
  const members = new Map<number, ClassPod>();
  const unclassed: string[] = [];
  const sorted = pods.toSorted((a, b) => (a.uid < b.uid ? -1 : 1));
  for (const pod of sorted) {
    const number = picker.numberOf(classKey(pod));
    if (number === null) {
      unclassed.push(pod.uid);
      continue;
    }
    byPod.set(pod.uid, number);
    if (!members.has(number)) members.set(number, pod);
  }
  for (const pod of sorted) {
    for (const { id, name, repo } of pod.containers ?? []) {
      const member = { ...pod, container: { name, repo } };
      const number = picker.numberOf(classKey(member));
      if (number === null) continue;
      byContainer.set(id, number);
      if (!members.has(number)) members.set(number, member);
    }
  }
  return { byPod, byContainer, members, unclassed, space: picker.finish() };
}
