import { LIMITS } from '../limits.ts';
import { didYouMean } from '../nearest.ts';
import type { PlanOptions, PolicyMode } from '../plan.ts';
import type { Policy } from '../policy.ts';
import { type ProblemSink, fieldPath, quote } from '../problem.ts';
import type { OptionSpec } from '../schema/hooks.ts';
import { UNSUPPORTED_OPTIONS } from './unsupported.ts';

export type CompiledOptions = { readonly mode: PolicyMode; readonly options: PlanOptions };

type Settings = { mode: PolicyMode } & { -readonly [Key in keyof PlanOptions]: PlanOptions[Key] };
type Setter = (settings: Settings, value: string) => boolean;

/** Every option that works: sets its value, or says that the value is none of its own. */
const OPTIONS: ReadonlyMap<string, { readonly values: string; readonly set: Setter }> = new Map([
  ['policy-mode', { values: 'enforce, monitor', set: choice('mode', ['enforce', 'monitor']) }],
  ['override-method', { values: 'fmod-ret, override-return', set: setOverrideMethod }],
  ['disable-kprobe-multi', { values: 'true, false', set: flag('singleKprobes') }],
  ['disable-uprobe-multi', { values: 'true, false', set: flag('singleUprobes') }],
  ['sleepable-preload-size', { values: `numbers from 1 to ${LIMITS.maxPreloadEntries}`, set: setPreloadSize }],
  ['palisade.dev/substitute', { values: 'none, kill', set: choice('substitute', ['none', 'kill']) }],
  ['palisade.dev/on-unknown', { values: 'match, nomatch', set: choice('onUnknown', ['match', 'nomatch']) }],
  ['palisade.dev/on-pending', { values: 'wait, apply', set: choice('onPending', ['wait', 'apply']) }],
  ['palisade.dev/event-rate', { values: 'N/s, N from 1 to 1000000', set: setEventRate }],
]);

/** Names of the options that work, for docs. */
export const OPTION_NAMES: readonly string[] = [...OPTIONS.keys()];

export function compileOptions(sink: ProblemSink, policy: Policy): CompiledOptions {
  const settings: Settings = {
    mode: 'enforce',
    onUnknown: null,
    onPending: 'wait',
    substitute: 'none',
    eventRatePerSecond: LIMITS.defaultEventsPerSecond,
  };
  const seen = new Set<string>();
  for (const [index, option] of (policy.spec.options ?? []).entries()) {
    const path = fieldPath('spec.options', index);
    if (seen.has(option.name)) {
      sink.error('RepeatedOption', fieldPath(path, 'name'), `option ${quote(option.name)} is given twice`);
    }
    seen.add(option.name);
    setOption(sink, path, settings, option);
    if (policy.namespace !== null && settings.onPending === 'apply') {
      settings.onPending = 'wait';
      sink.error(
        'NotInNamespacedPolicy',
        fieldPath(path, 'value'),
        'a namespaced policy never acts on containers whose namespace is not known yet',
        'use "wait"',
      );
    }
  }
  const { mode, ...options } = settings;
  return { mode, options };
}

function setOption(sink: ProblemSink, path: string, settings: Settings, option: OptionSpec): void {
  const known = OPTIONS.get(option.name);
  if (known !== undefined) {
    if (!known.set(settings, option.value)) {
      const message = `${quote(option.value)} is no value of ${option.name}`;
      sink.error('BadOptionValue', fieldPath(path, 'value'), message, `use one of: ${known.values}`);
    }
  } else if (UNSUPPORTED_OPTIONS.has(option.name)) {
    const hint = UNSUPPORTED_OPTIONS.get(option.name);
    sink.error('NotSupported', fieldPath(path, 'name'), `option ${quote(option.name)} is not supported yet`, hint);
  } else {
    const hint = nearestOption(option.name) ?? `options: ${OPTION_NAMES.join(', ')}`;
    sink.error('UnknownOption', fieldPath(path, 'name'), `unknown option ${quote(option.name)}`, hint);
  }
}

/** Also for those who forgot the prefix. */
function nearestOption(name: string): string | undefined {
  const prefixed = `palisade.dev/${name}`;
  if (OPTIONS.has(prefixed)) {
    return `did you mean ${quote(prefixed)}?`;
  }
  return didYouMean(name, OPTION_NAMES) ?? didYouMean(prefixed, OPTION_NAMES);
}

function choice<Key extends 'mode' | 'substitute' | 'onUnknown' | 'onPending'>(key: Key, values: readonly Settings[Key][]): Setter {
  return (settings, text) => {
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) {
      return false;
    }
    settings[key] = value;
    return true;
  };
}

function setEventRate(settings: Settings, text: string): boolean {
  const digits = /^([1-9][0-9]{0,6})\/s$/.exec(text)?.[1];
  const rate = Number(digits);
  if (digits === undefined || rate > LIMITS.maxEventsPerSecond) {
    return false;
  }
  settings.eventRatePerSecond = rate;
  return true;
}

/** What Go's ParseBool takes, as upstream. False is what an absent option means, and written like one. */
function flag(key: 'singleKprobes' | 'singleUprobes'): Setter {
  return (settings, text) => {
    if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) {
      settings[key] = true;
      return true;
    }
    return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text);
  };
}

function setOverrideMethod(settings: Settings, text: string): boolean {
  if (text !== 'fmod-ret' && text !== 'override-return') {
    return false;
  }
  settings.overrideMethod = text === 'fmod-ret' ? 'fmod_ret' : 'override_return';
  return true;
}

function setPreloadSize(settings: Settings, text: string): boolean {
  const entries = /^[1-9][0-9]{0,6}$/.test(text) ? Number(text) : 0;
  if (entries < 1 || entries > LIMITS.maxPreloadEntries) {
    return false;
  }
  settings.sleepablePreloadEntries = entries;
  return true;
}
