/** Where a server listens. Port 0: any free one. */
export type ListenAddress = { readonly host: string; readonly port: number };

/** Reads `host:port`, `:port` (all interfaces) and `[v6]:port`; throws a RangeError that says what would be right. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RangeError(`${JSON.stringify(text.slice(0, 100))} is no listen address; write host:port, such as 127.0.0.1:9090 or :9090`);
  }
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '' ? '::' : host, port };
}

export function formatListenAddress(address: ListenAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
