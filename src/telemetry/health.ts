/** Undefined while all is well, else one sentence that says what is not. Must be cheap: it runs at every probe. */
export type HealthCheck = () => string | undefined;

/**
 * What `/healthz` and `/readyz` answer. Live: worth keeping (a false answer restarts the process). Ready: can serve now.
 */
export type Health = {
  addLiveness(name: string, check: HealthCheck): void;
  addReadiness(name: string, check: HealthCheck): void;
  live(): HealthReport;
  ready(): HealthReport;
};

export type HealthReport = { readonly ok: boolean; readonly lines: readonly string[] };

export function createHealth(): Health {
  const liveness = new Map<string, HealthCheck>();
  const readiness = new Map<string, HealthCheck>();
  return {
    addLiveness: (name, check) => void liveness.set(name, check),
    addReadiness: (name, check) => void readiness.set(name, check),
    live: () => evaluate(liveness),
    ready: () => evaluate(readiness),
  };
}

function evaluate(checks: ReadonlyMap<string, HealthCheck>): HealthReport {
  const lines: string[] = [];
  let ok = true;
  for (const [name, check] of checks) {
    const fault = outcome(check);
    ok &&= fault === undefined;
    lines.push(fault === undefined ? `[+] ${name}` : `[-] ${name}: ${fault}`);
  }
  return { ok, lines };
}

/** A check that throws is a failed check, not a failed server. */
function outcome(check: HealthCheck): string | undefined {
  try {
    return check();
  } catch (error) {
    return `the check itself failed: ${String(error)}`;
  }
}
