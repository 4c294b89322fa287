import type { TracepointField } from '../kernel-facts.ts';

/** One field of a recorded tracepoint, `declaration;offset;size;signed`; undefined for a line of another form. */
export function readTracepointField(line: string): TracepointField | undefined {
  const match = /^([^;]{1,256});(\d{1,6});(\d{1,6});([01])$/.exec(line);
  const [, declaration = '', offset = '', bytes = '', signed = ''] = match ?? [];
  const name = /([A-Za-z_]\w*)(?:\[[^\]]*\])*$/.exec(declaration)?.[1];
  if (match === null || name === undefined) return undefined;
  const dataLocation = declaration.startsWith('__data_loc ');
  return { declaration, name, offset: Number(offset), bytes: Number(bytes), signed: signed === '1', dataLocation };
}
