/** Gives every pod its scope class; needed at every link, and at every change of pods between links. */
import { createPicker, type NumberSpace } from './allocation.ts';
import type { LinkPod } from './link-input.ts';
import { classKey } from './scope.ts';

export type PodClasses = {
  /** By pod uid. */
  readonly byPod: ReadonlyMap<string, number>;
  /** One pod of each class: its namespace and labels are those of all of them. */
  readonly members: ReadonlyMap<number, LinkPod>;
  /** Pods for which no class was left: they stay pending. */
  readonly unclassed: readonly string[];
  readonly space: NumberSpace;
};

export function assignClasses(previous: NumberSpace, pods: readonly LinkPod[]): PodClasses {
  const picker = createPicker('classes', previous, 'latest');
  const byPod = new Map<string, number>();
  const members = new Map<number, LinkPod>();
  const unclassed: string[] = [];
  for (const pod of pods.toSorted((a, b) => (a.uid < b.uid ? -1 : 1))) {
    const number = picker.numberOf(classKey(pod));
    if (number === null) {
      unclassed.push(pod.uid);
      continue;
    }
    byPod.set(pod.uid, number);
    if (!members.has(number)) members.set(number, pod);
  }
  return { byPod, members, unclassed, space: picker.finish() };
}
