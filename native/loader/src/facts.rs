//! Facts about the kernel, as the agent gets them: names of src/policy/kernel-facts.ts.

use libbpf_rs::MapType;
use libbpf_rs::libbpf_sys;
use std::path::Path;

use crate::abi;
use crate::btf;
use crate::caps::Needs;
use crate::embed::Flavour;
use crate::hook_kind::Method;
use crate::host;
use crate::probe;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// "name=value".
    pub lines: Vec<String>,
    pub flavour: Flavour,
    /// pal_cfg.kflags.
    pub kflags: u32,
    /// BPF LSM programs load, attach and run.
    pub lsm_runs: bool,
    pub needs: Needs,
}

/// Tries everything. `folder` is on a bpffs, for pins that are taken away at once.
pub fn collect(folder: &Path) -> Facts {
    let compare_and_swap = probe::has_compare_and_swap();
    let bpf_loop = probe::has_kprobe_helper(libbpf_sys::BPF_FUNC_loop);
    let task_storage = probe::has_map(MapType::TaskStorage);
    let flavour = if compare_and_swap && bpf_loop && task_storage { Flavour::New } else { Flavour::Old };
    let known = btf::kernel().ok();
    let by_btf = known.as_ref().map(probe::by_btf).unwrap_or_default();

    let attach = |texts: &[&str]| {
        let methods: Vec<Method> = texts.iter().filter_map(|text| Method::parse(text).ok()).collect();
        probe::try_attach(flavour, &methods, folder)
    };
    let together = [
        "lsm:file_open",
        "fmod_ret:security_file_open",
        "kprobe:security_file_open",
        "tracepoint:sched/sched_process_exec",
        "raw_tp:sched_process_exec",
    ];
    let attached = attach(&together);
    let of = |index: usize| attached.get(index).copied().unwrap_or_default();
    let [lsm, fmod_ret, kprobe, tracepoint, raw_tracepoint] = [of(0), of(1), of(2), of(3), of(4)];
    // The same program as for kprobe, made for another kind of link.
    let kprobe_multi = attach(&["kprobe_multi:security_file_open"]).first().copied().unwrap_or_default();
    let modules = host::security_modules();
    let lsm_runs = lsm.works && modules.split(',').any(|module| module == "bpf");

    let booleans = [
        ("btf", known.is_some()),
        ("bpf_lsm", lsm.works),
        ("fmod_ret", fmod_ret.works),
        ("fmod_ret_syscall", by_btf.fmod_ret_syscall),
        ("fentry", by_btf.fentry),
        ("kprobe", kprobe.works),
        ("kprobe_multi", kprobe_multi.works),
        ("kprobe_session", kprobe_multi.works && probe::has_kprobe_session()),
        ("raw_tracepoint", raw_tracepoint.works),
        ("tracepoint", tracepoint.works),
        ("override_return", probe::has_kprobe_helper(libbpf_sys::BPF_FUNC_override_return)),
        ("uprobe", host::has_uprobes()),
        ("uprobe_multi", probe::has_uprobe_multi()),
        ("uprobe_write", probe::may_write_registers()),
        ("send_signal", probe::has_kprobe_helper(libbpf_sys::BPF_FUNC_send_signal)),
        ("d_path_lsm", by_btf.d_path_lsm),
        ("d_path_lsm_path", by_btf.d_path_lsm_path),
        ("d_path_fmod", by_btf.d_path_fmod),
        ("cas", compare_and_swap),
        ("bpf_loop", bpf_loop),
        ("task_storage", task_storage),
        ("iter_task", by_btf.iter_task),
        ("ringbuf", probe::has_map(MapType::RingBuf)),
        ("pin_kprobe", kprobe.pins),
        ("pin_kprobe_multi", kprobe_multi.pins),
        ("pin_tracepoint", tracepoint.pins),
        ("pin_raw_tracepoint", raw_tracepoint.pins),
        ("pin_lsm", lsm.pins),
        ("pin_fmod_ret", fmod_ret.pins),
    ];
    let mut lines = vec![
        format!("release={}", host::release()),
        format!("arch={}", host::machine()),
        format!("lsm={modules}"),
        format!("preempt={}", host::preemption()),
        format!("flavour={}", flavour.name()),
        format!("cgroup_v1={}", host::is_cgroup_v1()),
    ];
    lines.extend(booleans.iter().map(|(name, value)| format!("{name}={value}")));

    let storage = if flavour == Flavour::New { abi::KF_TASK_STORAGE } else { 0 };
    let cgroups = if host::is_cgroup_v1() { abi::KF_CGROUP_V1 } else { 0 };
    Facts { lines, flavour, kflags: storage | cgroups, lsm_runs, needs: Needs { perf_event_paranoid: host::perf_event_paranoid() } }
}
