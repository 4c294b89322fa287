/** One archive that this machine's own apt configuration names. */
export type AptSource = { readonly uri: string; readonly suite: string };

/** Reads the deb822 form (`*.sources`): stanzas of `URIs:` and `Suites:`. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] => {
      const line = stanza.split('\n').find((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
      return line === undefined
        ? []
        : line
            .slice(name.length + 1)
            .trim()
            .split(/\s+/);
    };
    if (!field('types').includes('deb') || field('enabled').includes('no')) return [];
    return field('uris').flatMap((uri) => field('suites').map((suite) => ({ uri, suite })));
  });
}

/** Reads the one-line form (`sources.list`, `*.list`): `deb [options] URI SUITE COMPONENT…`. */
export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [{ uri: match[1], suite: match[2] }];
  });
}

/**
 * Says where another Debian suite is to be found, by the archive from which this machine takes its own release: security
 * suites from its security archive, all others from its main one. Undefined when the machine's configuration names none.
 */
export function archiveOf(suite: string, codename: string, sources: readonly AptSource[]): string | undefined {
  const own = suite.endsWith('-security') ? [`${codename}-security`, `${codename}/updates`] : [codename];
  return sources.find((source) => own.includes(source.suite))?.uri;
}
