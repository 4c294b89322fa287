/** One entry of an initramfs. */
export type CpioEntry = { readonly path: string } & (
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly executable: 'yes' | 'no' }
);

const typeBits = { folder: 0o040000, link: 0o120000, file: 0o100000 } as const;

function permissionsOf(entry: CpioEntry): number {
  if (entry.kind === 'file') return entry.executable === 'yes' ? 0o755 : 0o644;
  return entry.kind === 'folder' ? 0o755 : 0o777;
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.bytes;
  return entry.kind === 'link' ? Buffer.from(entry.target) : new Uint8Array();
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}

function record(inode: number, name: string, mode: number, content: Uint8Array): Buffer {
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
  const head = Buffer.concat([Buffer.from(`${header}${name}`), Buffer.from([0])]);
  return Buffer.concat([head, padding(head.length), content, padding(content.length)]);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/**
 * Writes an archive in the form that the kernel unpacks at boot ("newc"; Documentation/driver-api/early-userspace).
 * Folders on the way to an entry are added; archives may be put one behind the other.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const given = new Set(entries.map((entry) => entry.path));
  const folders = [...new Set(entries.flatMap((entry) => parentsOf(entry.path)))].filter((folder) => !given.has(folder));
  const all: CpioEntry[] = [...folders.toSorted().map((path) => ({ kind: 'folder', path }) as const), ...entries];
  const records = all.map((entry, index) => record(index + 1, entry.path, typeBits[entry.kind] | permissionsOf(entry), contentOf(entry)));
  return Buffer.concat([...records, record(0, 'TRAILER!!!', 0, new Uint8Array())]);
}
