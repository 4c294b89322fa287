export function describeOracle(_name: string, _kernel: () => unknown): void {}
