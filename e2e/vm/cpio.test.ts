import { describe, expect, it } from 'vitest';
import { cpioArchive } from './cpio.ts';

/** Reads an archive back, by the kernel's rules: header, name and content each padded to four bytes. */
function read(archive: Buffer): { name: string; mode: number; content: string }[] {
  const entries = [];
  for (let at = 0; at < archive.length;) {
    const field = (index: number): number => Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const name = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const start = (at + 110 + nameSize + 3) & ~3;
    entries.push({ name, mode, content: archive.toString('utf8', start, start + size) });
    at = (start + size + 3) & ~3;
  }
  return entries;
}

describe('an initramfs archive', () => {
  it('is read back as it was written, with the folders on the way', () => {
    const archive = cpioArchive([
      { kind: 'file', path: 'bin/init', bytes: Buffer.from('hello'), executable: 'yes' },
      { kind: 'link', path: 'bin/sh', target: 'busybox' },
    ]);
    expect(read(archive)).toEqual([
      { name: 'bin', mode: 0o040755, content: '' },
      { name: 'bin/init', mode: 0o100755, content: 'hello' },
      { name: 'bin/sh', mode: 0o120777, content: 'busybox' },
      { name: 'TRAILER!!!', mode: 0, content: '' },
    ]);
  });

  it('ends at a multiple of four bytes, so that another may follow', () => {
    for (const content of ['', 'a', 'ab', 'abc', 'abcd']) {
      expect(cpioArchive([{ kind: 'file', path: 'f', bytes: Buffer.from(content), executable: 'no' }]).length % 4).toBe(0);
    }
  });
});
