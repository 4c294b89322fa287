//! Loads one build of the engine for one hook: programs chosen, configuration written, maps of the node and of the hook reused.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Instant;

use libbpf_rs::{Link, MapCore as _, MapHandle, Object, ObjectBuilder, OpenObject};

use crate::abi;
use crate::caps;
use crate::embed::Flavour;
use crate::frame::u32_at;
use crate::hook_kind::Method;
use crate::inner::{self, Tables};
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at, errno_of, io_at};
use crate::verifier_log;

/// Maps of the node by name.
pub type NodeMaps = BTreeMap<String, MapHandle>;

const CFG_SECTION: &str = ".rodata.cfg";
const CFG_FEAT: usize = 48;
const FEAT_OVERRIDE: u32 = 1 << 6;

/// A handle of its own for a map.
pub fn share(map: &MapHandle) -> Outcome<MapHandle> {
    MapHandle::try_from(map).map_err(at(Stage::Fill, "dup of a map"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Dispatcher, engine and noop: a hook's first time.
    Hook,
    /// A further instance of the engine.
    Engine,
    /// The program without effect.
    Noop,
}

/// Maps that a hook has already.
pub struct HookMaps<'a> {
    pub progs: &'a MapHandle,
    pub outer: &'a [MapHandle; 5],
}

pub struct LoadRequest<'a> {
    pub flavour: Flavour,
    pub method: &'a Method,
    /// As the agent sent it.
    pub cfg: &'a [u8],
    pub bank: u32,
    pub kflags: u32,
    pub parts: Parts,
    pub node: &'a NodeMaps,
    pub maps: Option<HookMaps<'a>>,
    /// Inner maps as templates, where the hook has no maps yet.
    pub templates: Option<&'a Tables>,
}

pub struct Loaded {
    object: Object,
    pub uses_d_path: bool,
    pub load_us: u32,
}

impl Loaded {
    pub fn program(&self, name: &str) -> Outcome<OwnedFd> {
        let program = self.object.progs().find(|program| program.name() == name);
        let program = program.ok_or_else(|| Failure::new(Stage::Open, reasons::ABI_MISMATCH, format!("the objects have no program {name}")))?;
        program.as_fd().try_clone_to_owned().map_err(io_at(Stage::Load, "dup"))
    }

    pub fn map(&self, name: &str) -> Outcome<MapHandle> {
        let map = self.object.maps().find(|map| map.name() == name);
        let map = map.ok_or_else(|| Failure::new(Stage::Open, reasons::ABI_MISMATCH, format!("the objects have no map {name}")))?;
        MapHandle::try_from(&map).map_err(at(Stage::Fill, "dup of a map"))
    }

    pub fn attach(&self, method: &Method) -> Outcome<Link> {
        let name = method.program("disp");
        let program = self.object.progs_mut().find(|program| program.name() == name.as_str());
        let program = program.ok_or_else(|| Failure::new(Stage::Open, reasons::ABI_MISMATCH, format!("the objects have no program {name}")))?;
        let _ = verifier_log::take();
        let attach = || (method.kind.attach)(&program, &method.target).map_err(|error| attach_failure(method, &error));
        if method.kind.is_perf_event { caps::with_sys_admin(attach) } else { attach() }
    }
}

/// Name of the engine program: kprobes that override a return value have one of their own, which many kernels refuse to load.
pub fn engine_program(method: &Method, cfg: &[u8]) -> String {
    let overrides = u32_at(cfg, CFG_FEAT).unwrap_or(0) & FEAT_OVERRIDE != 0;
    let name = method.program("eng");
    if overrides && method.kind.suffix == "kp" { format!("{name}_ovr") } else { name }
}

/// The configuration as it differs between two instances that may stand for each other: without what the loader sets.
pub fn comparable_cfg(cfg: &[u8]) -> Vec<u8> {
    with_words(cfg, 0, 0)
}

fn with_words(cfg: &[u8], bank: u32, kflags: u32) -> Vec<u8> {
    let mut own = cfg.to_vec();
    for (offset, word) in [(abi::CFG_BANK, bank), (abi::CFG_KFLAGS, kflags)] {
        if let Some(place) = own.get_mut(offset..offset + 4) {
            place.copy_from_slice(&word.to_le_bytes());
        }
    }
    own
}

fn slot_flags() -> impl Iterator<Item = usize> {
    (0..abi::SLOTS).map(|slot| abi::CFG_SLOT + slot * abi::SLOT_BYTES + abi::SLOT_FLAGS)
}

fn has_d_path(cfg: &[u8]) -> bool {
    slot_flags().any(|offset| cfg.get(offset).is_some_and(|flags| flags & abi::SF_DPATH != 0))
}

fn without_d_path(cfg: &[u8]) -> Vec<u8> {
    let mut own = cfg.to_vec();
    for offset in slot_flags() {
        if let Some(flags) = own.get_mut(offset) {
            *flags &= !abi::SF_DPATH;
        }
    }
    own
}

/// Loads; where the verifier refuses `bpf_d_path`, a second time with the walk of our own.
pub fn load(request: &LoadRequest<'_>) -> Outcome<Loaded> {
    let cfg = with_words(request.cfg, request.bank, request.kflags);
    let started = Instant::now();
    let (object, uses_d_path) = match load_once(request, &cfg) {
        Ok(object) => (object, has_d_path(&cfg)),
        Err(failure) if has_d_path(&cfg) && failure.stage == Stage::Load && failure.reason == reasons::VERIFIER_REJECTED => {
            (load_once(request, &without_d_path(&cfg))?, false)
        }
        Err(failure) => return Err(failure),
    };
    let load_us = u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX);
    Ok(Loaded { object, uses_d_path, load_us })
}

fn load_once(request: &LoadRequest<'_>, cfg: &[u8]) -> Outcome<Object> {
    let _ = verifier_log::take();
    let mut object = open(request.flavour.engine())?;
    prepare_maps(&mut object, request, cfg)?;
    prepare_programs(&mut object, request, cfg)?;
    object.load().map_err(|error| load_failure(request.method, &error))
}

pub fn open(bytes: &[u8]) -> Outcome<OpenObject> {
    ObjectBuilder::default().open_memory(bytes).map_err(at(Stage::Open, "BPF object"))
}

fn prepare_maps(object: &mut OpenObject, request: &LoadRequest<'_>, cfg: &[u8]) -> Outcome<()> {
    for mut map in object.maps_mut() {
        let name = map.name().to_string_lossy().into_owned();
        let fill = at(Stage::Fill, "map");
        if request.parts == Parts::Noop {
            map.set_autocreate(false).map_err(fill)?;
        } else if name == CFG_SECTION {
            map.set_initial_value(cfg).map_err(fill)?;
        } else if let Some(node) = request.node.get(&name) {
            map.reuse_fd(node.as_fd()).map_err(fill)?;
        } else if let Some(index) = inner::OF_HOOK.iter().position(|table| table.name == name) {
            let existing = request.maps.as_ref().and_then(|maps| maps.outer.get(index));
            let template = request.templates.and_then(|tables| tables.0.get(index));
            match (existing, template) {
                (Some(existing), _) => map.reuse_fd(existing.as_fd()).map_err(fill)?,
                (None, Some(template)) => map.set_inner_map_fd(template.as_fd()).map_err(fill)?,
                (None, None) => {}
            }
        } else if name == "progs" {
            if let Some(maps) = &request.maps {
                map.reuse_fd(maps.progs.as_fd()).map_err(fill)?;
            }
        }
    }
    Ok(())
}

fn prepare_programs(object: &mut OpenObject, request: &LoadRequest<'_>, cfg: &[u8]) -> Outcome<()> {
    let method = request.method;
    let wanted = match request.parts {
        Parts::Hook => vec![method.program("disp"), engine_program(method, cfg), method.program("noop")],
        Parts::Engine => vec![engine_program(method, cfg)],
        Parts::Noop => vec![method.program("noop")],
    };
    for mut program in object.progs_mut() {
        let is_wanted = program.name().to_str().is_some_and(|name| wanted.iter().any(|wanted| wanted == name));
        program.set_autoload(is_wanted);
        if is_wanted {
            (method.kind.aim)(&mut program, &method.target).map_err(|error| aim_failure(method, &error))?;
        }
    }
    Ok(())
}

/// Aiming fails where BTF does not have the target.
fn aim_failure(method: &Method, error: &libbpf_rs::Error) -> Failure {
    let mut failure = load_failure(method, error);
    if matches!(failure.errno, libc::ENOENT | libc::ESRCH) {
        failure.stage = Stage::Btf;
        failure.reason = method.kind.missing;
    }
    failure
}

/// What libbpf's errno and words say about a refused load.
fn load_failure(method: &Method, error: &libbpf_rs::Error) -> Failure {
    let warnings = verifier_log::take();
    let errno = errno_of(error);
    let mut failure = Failure::from_errno(Stage::Load, errno, &method.text());
    let program = verifier_log::refused_program(&warnings).map(|program| format!(" ({program})")).unwrap_or_default();
    failure.message = format!("{}{program}: {error:#}", method.text());
    failure.reason = load_reason(method, errno, &warnings).unwrap_or(failure.reason);
    failure.with_verifier(verifier_log::excerpt(&warnings).to_owned())
}

fn load_reason(method: &Method, errno: i32, warnings: &str) -> Option<reasons::Reason> {
    if warnings.contains("find kernel BTF type ID") || warnings.contains("find_attach_btf_id") || warnings.contains("is not found in vmlinux BTF") {
        return Some(method.kind.missing);
    }
    if warnings.contains("is not modifiable") {
        return Some(reasons::NOT_ERROR_INJECTABLE);
    }
    // EFAULT is how verifiers say that they have too many branches to come back to.
    if warnings.contains("BPF program is too large") || warnings.contains("jumps is too complex") || matches!(errno, libc::E2BIG | libc::EFAULT) {
        return Some(reasons::VERIFIER_BUDGET);
    }
    if warnings.contains("unknown func bpf_override_return") || warnings.contains("invalid func bpf_override_return") {
        return Some(reasons::OVERRIDE_HELPER_MISSING);
    }
    let verified = warnings.contains("processed ") && warnings.contains(" insns");
    (verified && matches!(errno, libc::EACCES | libc::EINVAL | libc::EPERM)).then_some(reasons::VERIFIER_REJECTED)
}

fn attach_failure(method: &Method, error: &libbpf_rs::Error) -> Failure {
    let warnings = verifier_log::take();
    let errno = errno_of(error);
    let mut failure = Failure::from_errno(Stage::Attach, errno, &method.text());
    failure.message = format!("{}: {error:#}", method.text());
    failure.reason = match errno {
        libc::ENOENT | libc::ESRCH => method.kind.missing,
        libc::EINVAL | libc::EADDRNOTAVAIL | libc::EILSEQ if method.kind.name == "kprobe" => reasons::FUNCTION_NOT_TRACEABLE,
        libc::EOPNOTSUPP if method.kind.name == "lsm" => reasons::LSM_NOT_ENABLED,
        _ => failure.reason,
    };
    failure.with_verifier(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_sets_does_not_make_two_configurations_differ() {
        let one = vec![7u8; abi::CFG_BYTES];
        let mut two = one.clone();
        two[abi::CFG_BANK] = 1;
        two[abi::CFG_KFLAGS] = 9;
        assert_eq!(comparable_cfg(&one), comparable_cfg(&two));
        two[abi::CFG_HOOK] = 0;
        assert_ne!(comparable_cfg(&one), comparable_cfg(&two));
    }

    #[test]
    fn the_flag_for_d_path_goes_from_every_slot() {
        let cfg = vec![0xffu8; abi::CFG_BYTES];
        assert!(has_d_path(&cfg));
        let without = without_d_path(&cfg);
        assert!(!has_d_path(&without));
        assert_eq!(cfg.iter().zip(&without).filter(|(a, b)| a != b).count(), abi::SLOTS);
    }

    #[test]
    fn a_refusal_gets_the_reason_that_its_words_give() {
        let method = Method::parse("lsm:nosuch").unwrap();
        let reason = |errno, words| load_reason(&method, errno, words);
        assert_eq!(reason(libc::ESRCH, "libbpf: failed to find kernel BTF type ID of 'nosuch': -ESRCH"), Some("LsmHookNotFound"));
        assert_eq!(reason(libc::EACCES, "R1 type=ctx expected=fp\nprocessed 3 insns"), Some("VerifierRejected"));
        assert_eq!(reason(libc::E2BIG, "BPF program is too large. Processed 1000001 insn"), Some("VerifierBudget"));
        assert_eq!(reason(libc::ENOMEM, ""), None);
    }
}
