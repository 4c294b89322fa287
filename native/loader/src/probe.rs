//! Finds out what this kernel allows, by loading and attaching: never by its version.

use libbpf_rs::btf::Btf;
use libbpf_rs::libbpf_sys;
use libbpf_rs::{MapType, Object, ObjectBuilder, ProgramType};
use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;

use crate::btf;
use crate::embed::Flavour;
use crate::hook_kind::Method;
use crate::sys::{self, Instruction};

/// Registers of a probe program.
const R0: u8 = 0;
const R1: u8 = 1;
const R2: u8 = 2;
const R3: u8 = 3;
const R10: u8 = 10;

const fn instruction(code: u32, dst: u8, src: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction { code: code as u8, registers: dst | src << 4, offset, immediate }
}

const fn move_immediate(dst: u8, value: i32) -> Instruction {
    instruction(libbpf_sys::BPF_ALU64 | libbpf_sys::BPF_MOV | libbpf_sys::BPF_K, dst, 0, 0, value)
}

const fn move_register(dst: u8, src: u8) -> Instruction {
    instruction(libbpf_sys::BPF_ALU64 | libbpf_sys::BPF_MOV | libbpf_sys::BPF_X, dst, src, 0, 0)
}

const fn add_immediate(dst: u8, value: i32) -> Instruction {
    instruction(libbpf_sys::BPF_ALU64 | libbpf_sys::BPF_ADD | libbpf_sys::BPF_K, dst, 0, 0, value)
}

const fn load_word(dst: u8, src: u8, offset: i16) -> Instruction {
    instruction(libbpf_sys::BPF_LDX | libbpf_sys::BPF_MEM | libbpf_sys::BPF_DW, dst, src, offset, 0)
}

const fn call(helper: u32) -> Instruction {
    instruction(libbpf_sys::BPF_JMP | libbpf_sys::BPF_CALL, 0, 0, 0, helper as i32)
}

const EXIT: Instruction = instruction(libbpf_sys::BPF_JMP | libbpf_sys::BPF_EXIT, 0, 0, 0, 0);
const STACK_SLOT: i16 = -8;
const PATH_BYTES: i32 = 8;

/// A compare-and-swap on the stack.
pub fn has_compare_and_swap() -> bool {
    let program = [
        move_immediate(R0, 0),
        move_immediate(R1, 1),
        instruction(libbpf_sys::BPF_STX | libbpf_sys::BPF_MEM | libbpf_sys::BPF_DW, R10, R0, STACK_SLOT, 0),
        instruction(libbpf_sys::BPF_STX | libbpf_sys::BPF_ATOMIC | libbpf_sys::BPF_DW, R10, R1, STACK_SLOT, libbpf_sys::BPF_CMPXCHG as i32),
        move_immediate(R0, 0),
        EXIT,
    ];
    sys::load_probe(libbpf_sys::BPF_PROG_TYPE_KPROBE, 0, 0, &program).is_ok()
}

/// `bpf_d_path` on the path inside (`inside` bytes into) the first argument of a function, in an LSM or fmod_ret program.
fn allows_d_path(program_type: u32, attach_type: u32, function: Option<u32>, inside: u32) -> bool {
    let (Some(function), Ok(inside)) = (function, i32::try_from(inside)) else { return false };
    let program = [
        // Old kernels want the buffer to be initialized.
        move_immediate(R0, 0),
        instruction(libbpf_sys::BPF_STX | libbpf_sys::BPF_MEM | libbpf_sys::BPF_DW, R10, R0, STACK_SLOT, 0),
        load_word(R1, R1, 0),
        add_immediate(R1, inside),
        move_register(R2, R10),
        add_immediate(R2, -PATH_BYTES),
        move_immediate(R3, PATH_BYTES),
        call(libbpf_sys::BPF_FUNC_d_path),
        move_immediate(R0, 0),
        EXIT,
    ];
    sys::load_probe(program_type, attach_type, function, &program).is_ok()
}

/// What only programs that attach by BTF can find out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByBtf {
    pub d_path_lsm: bool,
    pub d_path_lsm_path: bool,
    pub d_path_fmod: bool,
    pub fentry: bool,
    pub fmod_ret_syscall: bool,
    pub iter_task: bool,
}

const FILE_OPEN: &str = "security_file_open";
const ITER_TASK: &str = "bpf_iter_task";
/// A system call that every kernel lets fail, if it lets any.
const OPENAT: &str = if cfg!(target_arch = "aarch64") { "__arm64_sys_openat" } else { "__x64_sys_openat" };

pub fn by_btf(known: &Btf<'_>) -> ByBtf {
    let (lsm_file, lsm_path) = (btf::lsm_function("file_open"), btf::lsm_function("path_unlink"));
    let wanted = [FILE_OPEN, ITER_TASK, OPENAT, &lsm_file, &lsm_path].map(str::to_owned);
    let found = btf::functions(known, &wanted.into_iter().collect());
    let function = |name: &str| btf::function_id(&found, name);
    let inside = btf::member_offset(known, "file", "f_path");
    let lsm = |name: &str, inside| allows_d_path(libbpf_sys::BPF_PROG_TYPE_LSM, libbpf_sys::BPF_LSM_MAC, function(name), inside);
    let empty = |attach_type, name: &str| {
        let program = [move_immediate(R0, 0), EXIT];
        function(name).is_some_and(|function| sys::load_probe(libbpf_sys::BPF_PROG_TYPE_TRACING, attach_type, function, &program).is_ok())
    };
    ByBtf {
        d_path_lsm: inside.is_some_and(|inside| lsm(&lsm_file, inside)),
        d_path_lsm_path: lsm(&lsm_path, 0),
        d_path_fmod: inside
            .is_some_and(|inside| allows_d_path(libbpf_sys::BPF_PROG_TYPE_TRACING, libbpf_sys::BPF_MODIFY_RETURN, function(FILE_OPEN), inside)),
        fentry: empty(libbpf_sys::BPF_TRACE_FENTRY, FILE_OPEN),
        fmod_ret_syscall: empty(libbpf_sys::BPF_MODIFY_RETURN, OPENAT),
        iter_task: empty(libbpf_sys::BPF_TRACE_ITER, ITER_TASK),
    }
}

pub fn has_kprobe_session() -> bool {
    let program = [move_immediate(R0, 0), EXIT];
    sys::load_probe(libbpf_sys::BPF_PROG_TYPE_KPROBE, libbpf_sys::BPF_TRACE_KPROBE_SESSION, 0, &program).is_ok()
}

pub fn has_uprobe_multi() -> bool {
    let program = [move_immediate(R0, 0), EXIT];
    sys::load_probe(libbpf_sys::BPF_PROG_TYPE_KPROBE, libbpf_sys::BPF_TRACE_UPROBE_MULTI, 0, &program)
        .is_ok_and(|loaded| sys::try_uprobe_multi(loaded.as_fd()) == libc::EBADF)
}

/// A program that writes to the registers it was given; kernels that let it load let it be attached to user probes only.
pub fn may_write_registers() -> bool {
    let program = [move_immediate(R0, 0), instruction(libbpf_sys::BPF_STX | libbpf_sys::BPF_MEM | libbpf_sys::BPF_DW, R1, R0, 0, 0), EXIT];
    sys::load_probe(libbpf_sys::BPF_PROG_TYPE_KPROBE, 0, 0, &program).is_ok()
}

pub fn has_kprobe_helper(helper: u32) -> bool {
    ProgramType::Kprobe.is_helper_supported(helper).unwrap_or(false)
}

pub fn has_map(kind: MapType) -> bool {
    kind.is_supported().unwrap_or(false)
}

/// What became of attaching the engine's empty program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    pub works: bool,
    /// The link can be pinned, so that it outlives the loader.
    pub pins: bool,
}

/// Loads the engine's programs without effect for these methods, attaches each, and tries to pin the links in `folder` (on a bpffs).
/// One load serves all of them where the kernel takes all; else each is loaded alone.
pub fn try_attach(flavour: Flavour, methods: &[Method], folder: &Path) -> Vec<Attached> {
    match load_noops(flavour, methods) {
        Some(object) => methods.iter().map(|method| attach_noop(&object, method, folder).unwrap_or_default()).collect(),
        None if methods.len() > 1 => methods.iter().flat_map(|method| try_attach(flavour, std::slice::from_ref(method), folder)).collect(),
        None => vec![Attached::default(); methods.len()],
    }
}

fn load_noops(flavour: Flavour, methods: &[Method]) -> Option<Object> {
    let mut object = ObjectBuilder::default().open_memory(flavour.engine()).ok()?;
    for mut map in object.maps_mut() {
        map.set_autocreate(false).ok()?;
    }
    for mut program in object.progs_mut() {
        let method = methods.iter().find(|method| program.name() == method.program("noop").as_str());
        program.set_autoload(method.is_some());
        if let Some(method) = method {
            (method.kind.aim)(&mut program, &method.target).ok()?;
        }
    }
    object.load().ok()
}

fn attach_noop(object: &Object, method: &Method, folder: &Path) -> Option<Attached> {
    let wanted = method.program("noop");
    let program = object.progs_mut().find(|program| program.name() == wanted.as_str())?;
    let mut link = (method.kind.attach)(&program, &method.target).ok()?;
    let path = folder.join(format!("probe_{}_{}", method.kind.name, std::process::id()));
    let pins = link.pin(&path).is_ok();
    if pins {
        let _ = fs::remove_file(&path);
    }
    Some(Attached { works: true, pins })
}
