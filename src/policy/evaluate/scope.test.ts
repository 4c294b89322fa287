import { describe, expect, it } from 'vitest';
import type { ContainerSelector, LabelSelector, Plan, PlanScope, PlanSelector } from '../plan.ts';
import type { Workload } from './event.ts';
import { compiled, policyObject } from '../testing/policies.ts';
import { type PolicyVerdict, evaluate } from './evaluate.ts';
import { isInScope } from './scope.ts';
import { callBy } from './testing/processes.ts';

const everything: LabelSelector = { matchLabels: {}, matchExpressions: [] };
const web: LabelSelector = { ...everything, matchLabels: { app: 'web' } };
const main: ContainerSelector = { ...everything, matchLabels: { name: 'main' } };

const host: Workload = { kind: 'host' };
const unknown: Workload = { kind: 'unknown' };
const pending: Workload = { kind: 'pending', namespace: null };
const pod = (labels: Readonly<Record<string, string>>, name?: string): Workload => ({
  kind: 'pod',
  namespace: 'default',
  labels,
  ...(name === undefined ? {} : { container: { name, repo: 'docker.io/library/nginx' } }),
});

function applies(
  scope: Partial<PlanScope>,
  workload: Workload,
  selector: Partial<PlanSelector> = {},
  onPending: 'wait' | 'apply' = 'wait',
) {
  const plan: Plan = {
    format: 1,
    scope: { namespace: null, podSelector: null, ...scope },
    options: { onUnknown: null, onPending, substitute: 'none', eventRatePerSecond: 1 },
    hooks: [],
  };
  return isInScope(plan, { path: 's', filters: [], actions: [{ type: 'sigkill' }], ...selector }, workload);
}

describe('the scope of a policy', () => {
  it.each<[string, Partial<PlanScope>, readonly boolean[]]>([
    // [host, unknown, web/main, web/other container, other pod, web without a container that is known]
    ['nothing', {}, [true, true, true, true, true, true]],
    ['podSelector', { podSelector: web }, [false, false, true, true, false, true]],
    ['podSelector {}', { podSelector: everything }, [false, false, true, true, true, true]],
    ['containerSelector', { containerSelector: main }, [false, false, true, false, true, false]],
    ['both', { podSelector: web, containerSelector: main }, [false, false, true, false, false, false]],
    ['hostSelector', { host: 'only' }, [true, false, false, false, false, false]],
    ['podSelector and hostSelector', { podSelector: web, host: 'also' }, [true, false, true, true, false, true]],
    ['a namespace', { namespace: 'default' }, [false, false, true, true, true, true]],
    ['another namespace', { namespace: 'team-a' }, [false, false, false, false, false, false]],
  ])('%s', (_, scope, wanted) => {
    const workloads = [
      host,
      unknown,
      pod({ app: 'web' }, 'main'),
      pod({ app: 'web' }, 'x'),
      pod({ app: 'db' }, 'main'),
      pod({ app: 'web' }),
    ];
    expect(workloads.map((workload) => applies(scope, workload))).toEqual(wanted);
  });

  it('pods have their namespace as a label, which they cannot forge', () => {
    const selector: LabelSelector = { ...everything, matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'default' } };
    expect(applies({ podSelector: selector }, pod({}))).toBe(true);
    expect(applies({ podSelector: { ...selector, matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system' } } }, pod({}))).toBe(
      false,
    );
    expect(
      applies(
        { podSelector: { ...selector, matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system' } } },
        pod({ 'k8s:io.kubernetes.pod.namespace': 'kube-system' }),
      ),
    ).toBe(false);
  });

  it('containers are selected by the repository of their image', () => {
    const repo: ContainerSelector = {
      ...everything,
      matchExpressions: [{ key: 'repo', operator: 'In', values: ['docker.io/library/nginx'] }],
    };
    expect(applies({ containerSelector: repo }, pod({}, 'any'))).toBe(true);
  });

  it('matchWorkloads narrows it for one selector', () => {
    const selector = { workload: { podSelector: web } };
    expect([applies({}, pod({ app: 'web' }), selector), applies({}, pod({}), selector), applies({}, host, selector)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(applies({ host: 'only' }, host, selector)).toBe(false);
    expect(applies({ namespace: 'team-a' }, pod({ app: 'web' }), selector)).toBe(false);
    expect(applies({}, host, { workload: { podSelector: null, host: 'only' } })).toBe(true);
  });

  it('where it cannot be decided, only enforcing selectors of cluster policies that say apply act', () => {
    const undecided: readonly Workload[] = [pending, pod({ app: 'web' })];
    const scope = { podSelector: web, containerSelector: main };
    expect(undecided.map((workload) => applies(scope, workload))).toEqual([false, false]);
    expect(undecided.map((workload) => applies(scope, workload, {}, 'apply'))).toEqual([true, true]);
    expect(undecided.map((workload) => applies(scope, workload, { actions: [{ type: 'post' }] }, 'apply'))).toEqual([false, false]);
    expect(undecided.map((workload) => applies({ ...scope, namespace: 'default' }, workload, {}, 'apply'))).toEqual([false, false]);
    expect(applies({ host: 'only' }, pending, {}, 'apply')).toBe(false);
  });

  it('an exception from what enforces there holds there as well, unless it is for some pods only', () => {
    const deny = { matchActions: [{ action: 'Override', argError: -1 }] };
    const ok = { matchBinaries: [{ operator: 'In', values: ['/bin/ok'] }], matchActions: [{ action: 'NoPost' }] };
    const podsOf = (operator: string): object => ({ matchNamespaces: [{ namespace: 'Pod', operator, values: ['kube-system'] }] });
    const hooks = { podSelector: { matchLabels: { app: 'web' } }, options: [{ name: 'palisade.dev/on-pending', value: 'apply' }] };
    const verdict = (...selectors: readonly object[]): PolicyVerdict => {
      const { plan } = compiled(policyObject({ ...hooks, lsmhooks: [{ hook: 'bprm_creds_from_file', selectors }] }));
      const [hook] = plan.hooks;
      if (hook === undefined) throw new Error('the plan has no hook');
      return evaluate(plan, hook, 'enforce', callBy({ binary: Buffer.from('/bin/ok'), workload: pending }, []));
    };
    expect(verdict(ok, deny)).toMatchObject({ selector: 0, errno: null });
    expect(verdict({ ...ok, ...podsOf('In') }, deny)).toMatchObject({ selector: 1, errno: -1 });
    expect(verdict(ok)).toMatchObject({ selector: null });
  });
});
