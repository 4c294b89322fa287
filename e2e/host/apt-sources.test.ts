import { describe, expect, it } from 'vitest';
import { archiveOf, parseDeb822, parseOneLine } from './apt-sources.ts';

const deb822 = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://other.example/debian
Suites: bookworm
`;

describe("the machine's own apt configuration", () => {
  it('tells where another release of Debian is to be found', () => {
    const sources = parseDeb822(deb822);
    expect(archiveOf('trixie-backports', 'bookworm', sources)).toBe('http://mirror.example/debian');
    expect(archiveOf('bullseye-security', 'bookworm', sources)).toBe('http://mirror.example/security');
  });

  it('is read in its one-line form too, with options', () => {
    const sources = parseOneLine(
      'deb [signed-by=/a.gpg arch=amd64] http://m/debian bookworm main\n# deb http://no/ bookworm main\ndeb-src http://m/debian bookworm main\n',
    );
    expect(sources).toEqual([{ uri: 'http://m/debian', suite: 'bookworm' }]);
  });

  it('may name no archive, which is said and not guessed', () => {
    expect(archiveOf('bookworm-security', 'bookworm', [])).toBeUndefined();
  });
});
