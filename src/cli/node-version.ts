const NEEDED_MAJOR = 24;

/** What is wrong with the Node that runs this; undefined: nothing. An older one lacks functions, each of which would fail in its own way. */
export function tooOldNode(version: string, execPath: string): string | undefined {
  if (Number.parseInt(version, 10) >= NEEDED_MAJOR) return undefined;
  return `needs Node.js ${NEEDED_MAJOR} or newer, and ${execPath} is ${version}; "bin/palisade" of a built checkout finds the right one`;
}
