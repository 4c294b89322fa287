/** Time constants of the control plane at a tenth: what takes minutes in a fleet must not take minutes in a test. */
export const testFlags: { readonly controllerFlags: readonly string[]; readonly webhookFlags: readonly string[] } = {
  controllerFlags: [],
  webhookFlags: [],
};
