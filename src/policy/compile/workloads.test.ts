import { describe, expect, it } from 'vitest';
import { codesOf, compiled, policyObject, problemsOf } from '../testing/policies.ts';

const hooks = { lsmhooks: [{ hook: 'file_open' }] };
const web = { matchLabels: { app: 'web' } };
const main = { matchLabels: { name: 'main' } };
const normal = (selector: { matchLabels: object }) => ({ ...selector, matchExpressions: [] });
const all = { matchLabels: {}, matchExpressions: [] };
const scopeOf = (spec: object, kind?: string) => compiled(policyObject({ ...hooks, ...spec }, kind)).plan.scope;

/** policy-language 11. */
const TABLE: readonly (readonly [title: string, spec: object, scope: object])[] = [
  ['nothing: every process', {}, { podSelector: null }],
  ['pods: all containers of these', { podSelector: web }, { podSelector: normal(web) }],
  ['containers: those of all pods', { containerSelector: main }, { podSelector: null, containerSelector: normal(main) }],
  [
    'pods and containers: both must fit',
    { podSelector: web, containerSelector: main },
    { podSelector: normal(web), containerSelector: normal(main) },
  ],
  ['the host: nothing else', { hostSelector: {} }, { podSelector: null, host: 'only' }],
  ['pods and the host: both', { podSelector: web, hostSelector: {} }, { podSelector: normal(web), host: 'also' }],
  [
    'containers and the host: both',
    { containerSelector: main, hostSelector: {} },
    { podSelector: null, containerSelector: normal(main), host: 'also' },
  ],
  ['all of all three: every process', { podSelector: {}, containerSelector: {}, hostSelector: {} }, { podSelector: null }],
  ['all pods and the host: every process', { podSelector: {}, hostSelector: {} }, { podSelector: null }],
  ['all containers and the host: every process', { containerSelector: {}, hostSelector: {} }, { podSelector: null }],
  ['all pods: no host process', { podSelector: {} }, { podSelector: all }],
  ['all containers: no host process', { containerSelector: {} }, { podSelector: all }],
  ['all pods and some containers', { podSelector: {}, containerSelector: main }, { podSelector: null, containerSelector: normal(main) }],
];

describe('which processes a policy is about', () => {
  it.each(TABLE)('%s', (_, spec, scope) => {
    expect(scopeOf(spec)).toEqual({ namespace: null, ...scope });
  });

  it.each(TABLE)('of one selector, %s', (_, matchWorkloads, scope) => {
    const policy = policyObject({ lsmhooks: [{ hook: 'file_open', selectors: [{ matchWorkloads }] }] });
    const [selector] = compiled(policy).plan.hooks[0]?.selectors ?? [];
    const isEverything = JSON.stringify(scope) === JSON.stringify({ podSelector: null });
    expect(selector?.workload).toEqual(isEverything ? undefined : scope);
  });

  it('of a namespaced policy are pods of its namespace, never the host', () => {
    expect(scopeOf({ containerSelector: main }, 'TracingPolicyNamespaced')).toEqual({
      namespace: 'team-a',
      podSelector: null,
      containerSelector: normal(main),
    });
    const policy = (matchWorkloads: object) =>
      policyObject({ lsmhooks: [{ hook: 'file_open', selectors: [{ matchWorkloads }] }] }, 'TracingPolicyNamespaced');
    expect(codesOf(policy({ podSelector: web }))).toEqual([]);
    expect(codesOf(policy({ hostSelector: {} }))).toEqual(['NotInNamespacedPolicy']);
  });

  it('select containers by the fields that these have', () => {
    const containerSelector = { matchExpressions: [{ key: 'image', operator: 'NotIn', values: ['nginx'] }] };
    expect(problemsOf(policyObject({ ...hooks, containerSelector }))).toEqual([
      'spec.containerSelector.matchExpressions[0].key: containers have no field "image"; use "name" or "repo"',
    ]);
  });

  it('are refused where they ask for a label that nothing can have', () => {
    const podSelector = (key: string) => problemsOf(policyObject({ ...hooks, podSelector: { matchLabels: { [key]: 'web' } } }));
    expect(podSelector('app name')).toEqual([
      'spec.podSelector.matchLabels["app name"]: "app name" is no key of a label; for example "app" or "app.kubernetes.io/name"',
    ]);
    for (const key of ['', '/', 'a/', '/a', 'A/b/c', 'Example.com/a', '-a', 'a'.repeat(64)])
      expect([key, podSelector(key).length]).toEqual([key, 1]);
    for (const key of ['app', 'App_1.x', 'app.kubernetes.io/name', 'k8s:io.kubernetes.pod.namespace']) expect(podSelector(key)).toEqual([]);
    const nodeSelector = { matchExpressions: [{ key: 'node role', operator: 'DoesNotExist' }] };
    expect(codesOf(policyObject({ ...hooks, nodeSelector }))).toEqual(['BadLabelSelector']);
  });

  it('have one digest, however they are written', () => {
    const digest = (spec: object) => compiled(policyObject({ ...hooks, ...spec })).digest;
    expect(digest({ podSelector: {}, containerSelector: {}, hostSelector: {} })).toBe(digest({}));
    expect(digest({ podSelector: {}, containerSelector: main })).toBe(digest({ containerSelector: main }));
  });
});
