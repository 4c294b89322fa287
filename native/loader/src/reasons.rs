//! Reasons that the loader gives: names of src/policy/reasons.ts (a test compares them), where their meaning is written down.

pub type Reason = &'static str;

pub const FUNCTION_NOT_FOUND: Reason = "FunctionNotFound";
pub const FUNCTION_NOT_TRACEABLE: Reason = "FunctionNotTraceable";
pub const LSM_HOOK_NOT_FOUND: Reason = "LsmHookNotFound";
pub const LSM_NOT_ENABLED: Reason = "LSMNotEnabled";
pub const TRACEPOINT_MISSING: Reason = "TracepointMissing";
pub const OVERRIDE_HELPER_MISSING: Reason = "OverrideHelperMissing";
pub const NOT_ERROR_INJECTABLE: Reason = "NotErrorInjectable";
pub const NOT_SUPPORTED_BY_AGENT: Reason = "NotSupportedByAgent";
pub const SET_TOO_LARGE: Reason = "SetTooLarge";
pub const TRAMPOLINE_LIMIT: Reason = "TrampolineLimit";
pub const VERIFIER_REJECTED: Reason = "VerifierRejected";
pub const VERIFIER_BUDGET: Reason = "VerifierBudget";
pub const LOAD_ERROR: Reason = "LoadError";
pub const BTF_UNAVAILABLE: Reason = "BTFUnavailable";
pub const PERMISSION_DENIED: Reason = "PermissionDenied";
pub const MEMORY_LIMIT: Reason = "MemoryLimit";
pub const GENERATION_SPENT: Reason = "GenerationSpent";
pub const RESOURCE_BUSY: Reason = "ResourceBusy";
pub const ABI_MISMATCH: Reason = "AbiMismatch";

#[cfg(test)]
mod tests {
    #[test]
    fn every_reason_is_in_the_one_list() {
        let list = include_str!("../../../src/policy/reasons.ts");
        let own = include_str!("reasons.rs");
        let names = own.lines().filter_map(|line| line.strip_prefix("pub const ")?.split('"').nth(1));
        for name in names {
            assert!(list.contains(&format!("'{name}'")), "{name}");
        }
    }
}
