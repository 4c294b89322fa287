//! What the kernel's BTF says about functions and structures.

use std::collections::{BTreeMap, BTreeSet};

use libbpf_rs::btf::types::{Composite, Func, FuncProto, Int, IntEncoding, MemberAttr, Ptr, TypeTag};
use libbpf_rs::btf::{Btf, BtfKind, BtfType, ReferencesType as _, TypeId};

use crate::reasons;
use crate::result::{Outcome, Stage};

const LSM_PREFIX: &str = "bpf_lsm_";
/// Functions of BPF LSM itself that are called like its hooks. src/policy/btf/type-index.ts has the same list.
const NO_HOOKS: [&str; 8] = [
    "func_proto",
    "verify_prog",
    "is_sleepable_hook",
    "is_trusted",
    "find_cgroup_shim",
    "get_retval_range",
    "has_d_inode_locked",
    "hook_returns_errno",
];
/// Functions with this prefix exist for the benefit of BTF only.
const GENERATED: [&str; 3] = ["__bpf_prog", "__pfx_", "__cfi_"];

pub fn kernel() -> Outcome<Btf<'static>> {
    Btf::from_vmlinux().map_err(|error| {
        let mut failure = crate::result::at(Stage::Btf, "/sys/kernel/btf/vmlinux")(error);
        failure.reason = reasons::BTF_UNAVAILABLE;
        failure
    })
}

/// Names of all functions, in BTF's order.
pub fn function_names(btf: &Btf<'_>) -> Vec<String> {
    btf.type_by_kind::<Func<'_>>()
        .filter_map(|function| function.name()?.to_str().map(str::to_owned))
        .filter(|name| !GENERATED.iter().any(|prefix| name.starts_with(prefix)))
        .collect()
}

/// Names of all functions, those that exist for BTF only among them.
pub fn all_function_names(btf: &Btf<'_>) -> BTreeSet<String> {
    btf.type_by_kind::<Func<'_>>().filter_map(|function| function.name()?.to_str().map(str::to_owned)).collect()
}

/// The hook of a function `bpf_lsm_…`.
pub fn lsm_hook_of(function: &str) -> Option<&str> {
    function.strip_prefix(LSM_PREFIX).filter(|hook| !NO_HOOKS.contains(hook))
}

pub fn lsm_function(hook: &str) -> String {
    format!("{LSM_PREFIX}{hook}")
}

/// Functions by name, found in one pass over all types.
pub fn functions<'b>(btf: &'b Btf<'_>, wanted: &BTreeSet<String>) -> BTreeMap<String, Func<'b>> {
    let named = btf.type_by_kind::<Func<'_>>().filter_map(|function| Some((function.name()?.to_str()?, function)));
    named.filter(|(name, _)| wanted.contains(*name)).map(|(name, function)| (name.to_owned(), function)).collect()
}

/// The number of a function's type, for programs that attach by it.
pub fn function_id(found: &BTreeMap<String, Func<'_>>, name: &str) -> Option<u32> {
    found.get(name).map(|function| u32::from(function.type_id()))
}

/// The parameters of a function, one line each: `index size signed kind`, kind being `int`, `ptr`, `user-ptr`, `struct:NAME` (a pointer
/// to that structure) or `value` (a structure by value).
pub fn prototype(btf: &Btf<'_>, function: &Func<'_>) -> Option<String> {
    let prototype = FuncProto::try_from(function.referenced_type()).ok()?;
    let mut lines = String::new();
    for (index, parameter) in prototype.iter().enumerate() {
        let (size, signed, kind) = parameter_kind(btf, parameter.ty);
        lines.push_str(&format!("{index} {size} {} {kind}\n", u8::from(signed)));
    }
    Some(lines)
}

fn parameter_kind(btf: &Btf<'_>, id: TypeId) -> (usize, bool, String) {
    let Some(found) = btf.type_by_id::<BtfType<'_>>(id) else { return (0, false, "value".to_owned()) };
    let plain = found.skip_mods_and_typedefs();
    if let Ok(int) = Int::try_from(plain) {
        return (usize::from(int.bits).div_ceil(8), matches!(int.encoding, IntEncoding::Signed), "int".to_owned());
    }
    if let Ok(pointer) = Ptr::try_from(plain) {
        return (8, false, pointer_kind(pointer.referenced_type()));
    }
    match plain.kind() {
        BtfKind::Enum => (4, false, "int".to_owned()),
        BtfKind::Enum64 => (8, false, "int".to_owned()),
        _ => (Composite::try_from(plain).map_or(0, |composite| libbpf_rs::btf::HasSize::size(&composite)), false, "value".to_owned()),
    }
}

fn pointer_kind(target: BtfType<'_>) -> String {
    let is_user = TypeTag::try_from(target).is_ok_and(|tag| tag.name().is_some_and(|name| name == "user"));
    if is_user {
        return "user-ptr".to_owned();
    }
    let plain = target.skip_mods_and_typedefs();
    let is_structure = matches!(plain.kind(), BtfKind::Struct | BtfKind::Fwd);
    match plain.name().and_then(|name| name.to_str()) {
        Some(name) if is_structure => format!("struct:{name}"),
        _ => "ptr".to_owned(),
    }
}

/// Offset in bytes of a member of a structure.
pub fn member_offset(btf: &Btf<'_>, structure: &str, member: &str) -> Option<u32> {
    let found = btf.type_by_kind::<libbpf_rs::btf::types::Struct<'_>>().find(|candidate| candidate.name().is_some_and(|name| name == structure))?;
    composite_offset(btf, Composite::from(found), member)
}

fn composite_offset(btf: &Btf<'_>, composite: Composite<'_>, member: &str) -> Option<u32> {
    for candidate in composite.iter() {
        let MemberAttr::Normal { offset } = candidate.attr else { continue };
        match candidate.name {
            Some(name) if name == member => return Some(offset / 8),
            Some(_) => {}
            // A nameless union or structure: its members count as the outer one's.
            None => {
                let inner = btf.type_by_id::<BtfType<'_>>(candidate.ty).map(|ty| ty.skip_mods_and_typedefs());
                let inner = inner.and_then(|ty| Composite::try_from(ty).ok());
                if let Some(within) = inner.and_then(|inner| composite_offset(btf, inner, member)) {
                    return Some(offset / 8 + within);
                }
            }
        }
    }
    None
}
