/** How a user of the API proves who he is. Paths are absolute; PEM texts are embedded. */
export type Credential =
  | { readonly kind: 'certificate'; readonly certificate: string; readonly key: string }
  | { readonly kind: 'token-file'; readonly path: string };

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function userOf(credential: Credential): Record<string, string> {
  if (credential.kind === 'token-file') return { tokenFile: credential.path };
  return { 'client-certificate-data': base64(credential.certificate), 'client-key-data': base64(credential.key) };
}

/** A kubeconfig with one cluster and one user. JSON is YAML, and needs no library. */
export function kubeconfig(server: string, authority: string, credential: Credential): string {
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'palisade', cluster: { server, 'certificate-authority-data': base64(authority) } }],
      users: [{ name: 'user', user: userOf(credential) }],
      contexts: [{ name: 'palisade', context: { cluster: 'palisade', user: 'user' } }],
      'current-context': 'palisade',
    },
    null,
    1,
  )}\n`;
}
