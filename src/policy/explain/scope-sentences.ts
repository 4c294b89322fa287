import type { LabelRequirement, LabelSelector, PlanScope } from '../plan.ts';
import { andList, orQuoted } from './words.ts';
import { quote } from '../problem.ts';

/** Whom a policy is about, in one or two sentences. */
export function scopeSentences(scope: PlanScope, nodeSelector: LabelSelector | null): readonly string[] {
  return [...whoSentences(scope), ...(nodeSelector === null ? [] : [`only on nodes ${withLabels(nodeSelector)}`])];
}

function whoSentences(scope: PlanScope): readonly string[] {
  const { host } = scope;
  if (host === 'only') return ['processes of the host only: those outside all pods'];
  const pods = podsText(scope);
  if (pods === null) return ['every process of every pod, and every process of the host'];
  return [pods, host === 'also' ? 'and every process of the host' : 'never a process of the host'];
}

/** Null: nothing narrows the policy. */
function podsText({ namespace, podSelector, containerSelector }: PlanScope): string | null {
  if (namespace === null && podSelector === null && containerSelector === undefined) return null;
  const pods = podSelector === null || isAll(podSelector) ? 'all pods' : `pods ${withLabels(podSelector)}`;
  const where = namespace === null ? '' : ` in the namespace ${quote(namespace)}`;
  if (containerSelector === undefined || isAll(containerSelector)) return `processes of ${pods}${where}`;
  return `processes in containers ${requirementsText(containerSelector, '')} of ${pods}${where}`;
}

/** Of one selector (`matchWorkloads`): a condition. */
export function workloadClause(workload: Omit<PlanScope, 'namespace'>): string {
  return `the process is one of: ${andList(whoSentences({ ...workload, namespace: null }))}`;
}

function isAll({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function withLabels(selector: LabelSelector): string {
  return isAll(selector) ? 'with any labels' : requirementsText(selector, 'the label ');
}

function requirementsText({ matchLabels, matchExpressions }: LabelSelector, noun: string): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `with ${noun}${key} = ${quote(value)}`);
  return andList([...labels, ...matchExpressions.map((requirement) => requirementText(requirement, noun))]);
}

function requirementText({ key, operator, values }: LabelRequirement, noun: string): string {
  switch (operator) {
    case 'In':
      return `with ${noun}${key} = ${orQuoted(values)}`;
    case 'NotIn':
      return `without ${noun}${key} = ${orQuoted(values)}`;
    case 'Exists':
      return `that have ${noun}${key}`;
    case 'DoesNotExist':
      return `that do not have ${noun}${key}`;
  }
}
