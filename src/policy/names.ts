const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** True for the name of a Kubernetes namespace. */
export function isNamespaceName(name: string): boolean {
  return LABEL.test(name);
}

/** True for the name of a policy. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && SUBDOMAIN.test(name);
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** True for the key of a label of Kubernetes: `app`, `app.kubernetes.io/name`. */
export function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  return LABEL_NAME.test(key.slice(slash + 1)) && (slash === -1 || isObjectName(key.slice(0, slash)));
}

const DOMAIN = /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$/;

/** True for a name that DNS can be asked for: lower case, without the dot at the end. */
export function isDomainName(name: string): boolean {
  return name.length <= 253 && DOMAIN.test(name);
}
