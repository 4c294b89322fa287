import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PAL_H_EMPTY_SLOT } from '../../abi/layout.ts';
import { alarmOf } from './alarm.ts';

it('says of an alarm what it means for those who rely on the engine', () => {
  expect(alarmOf(PAL_H_EMPTY_SLOT)).toEqual({ name: 'EmptySlot', meaning: 'a hook had no program to run: its calls were allowed' });
});

it('knows every alarm that the loader raises', async () => {
  const source = readFileSync(path.join(import.meta.dirname, '../../../native/loader/src/losses.rs'), 'utf8');
  const raised = [...(/const ALARMS[^=]*=([^;]*);/.exec(source)?.[1] ?? '').matchAll(/abi::(H_\w+)/g)].map(([, name]) => `PAL_${name}`);
  const numbers: Readonly<Record<string, unknown>> = await import('../../abi/layout.ts');
  expect(raised.length).toBeGreaterThan(0);
  for (const name of raised) expect(alarmOf(Number(numbers[name])).name, name).toMatch(/^[A-Z]/);
});
