import { readFile } from 'node:fs/promises';
import { KubeError } from './kube-error.ts';

/** Reads a token as a volume projects it. Throws a KubeError of code `Credentials`. */
export async function readTokenFile(file: string): Promise<string> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (token !== '') {
      return token;
    }
  } catch (cause) {
    throw new KubeError('Credentials', `${file}: the token could not be read: ${String(cause)}`, { cause });
  }
  throw new KubeError('Credentials', `${file}: the token is empty`);
}
