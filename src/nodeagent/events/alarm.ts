import {
  PAL_ALARM_SKIPPED,
  PAL_H_CGROUP_FULL,
  PAL_H_EMPTY_SLOT,
  PAL_H_KILL_FAILED,
  PAL_H_LATE_UNMARKED,
  PAL_H_NO_SCRATCH,
  PAL_H_NO_TABLE,
  PAL_H_STORAGE_FAILED,
} from '../../abi/layout.ts';

export type Alarm = { readonly name: string; readonly meaning: string };

/** What the loader raises alarms for, by the number of the engine's counter that has grown (native/loader/src/losses.rs). */
const ALARMS: ReadonlyMap<number, Alarm> = new Map([
  [PAL_H_EMPTY_SLOT, { name: 'EmptySlot', meaning: 'a hook had no program to run: its calls were allowed' }],
  [PAL_ALARM_SKIPPED, { name: 'Skipped', meaning: 'the kernel let calls pass without running the program of their hook' }],
  [PAL_H_NO_SCRATCH, { name: 'NoScratch', meaning: 'calls were decided without a look at their arguments, which count as unknown' }],
  [PAL_H_NO_TABLE, { name: 'NoTable', meaning: 'a hook had no tables: its calls were allowed' }],
  [
    PAL_H_STORAGE_FAILED,
    { name: 'StorageFailed', meaning: 'the kernel had no room for what is known of a process, whose executable counts as unknown' },
  ],
  [
    PAL_H_CGROUP_FULL,
    {
      name: 'CgroupTableFull',
      meaning: 'there was no room for new control groups: they count as their parents, or as pods that are not known yet',
    },
  ],
  [
    PAL_H_LATE_UNMARKED,
    { name: 'LateUnmarked', meaning: 'an execve whose path could not be read yet was decided at once, its path unknown' },
  ],
  [PAL_H_KILL_FAILED, { name: 'KillFailed', meaning: 'the kernel refused to kill a task that a policy kills' }],
]);

export function alarmOf(code: number): Alarm {
  return ALARMS.get(code) ?? { name: String(code), meaning: 'an alarm that this agent does not know' };
}
