//! Capabilities: after probing, the loader keeps what its work needs and says why.

use std::io;

use crate::say::say;
use crate::sys;

pub const SYS_ADMIN: u32 = 21;
pub const SYS_RESOURCE: u32 = 24;
pub const SYSLOG: u32 = 34;
pub const PERFMON: u32 = 38;
pub const BPF: u32 = 39;
const LAST: u32 = 63;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub number: u32,
    pub name: &'static str,
    pub reason: String,
}

/// What decides whether SYS_ADMIN can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// /proc/sys/kernel/perf_event_paranoid: above 2 some distributions ask for SYS_ADMIN to open a perf event, which tracepoints are,
    /// and kprobes other than kprobe.multi.
    pub perf_event_paranoid: i32,
}

impl Needs {
    fn sys_admin(self) -> bool {
        self.perf_event_paranoid > 2
    }
}

/// Which capabilities to keep of those that the process has, and why. Pure.
pub fn choose(permitted: u64, needs: Needs) -> Vec<Kept> {
    let mut wanted = vec![
        (BPF, "BPF", "loads programs and makes maps".to_owned()),
        (PERFMON, "PERFMON", "loads tracing programs and opens their events".to_owned()),
        (SYS_RESOURCE, "SYS_RESOURCE", "lifts the memory limit that kernels before 5.11 put on maps".to_owned()),
        (SYSLOG, "SYSLOG", "reads addresses of kernel functions".to_owned()),
    ];
    if needs.sys_admin() {
        let level = needs.perf_event_paranoid;
        let reason = format!("perf_event_paranoid is {level}: tracepoints and kprobes are perf events; effective only while one is attached");
        wanted.push((SYS_ADMIN, "SYS_ADMIN", reason));
    }
    wanted.into_iter().filter(|(number, ..)| permitted & (1 << number) != 0).map(|(number, name, reason)| Kept { number, name, reason }).collect()
}

/// All capabilities that the process has, kept on the operator's demand (`--no-drop`).
pub fn keep_all(permitted: u64) -> Vec<Kept> {
    let names = [(BPF, "BPF"), (PERFMON, "PERFMON"), (SYS_RESOURCE, "SYS_RESOURCE"), (SYSLOG, "SYSLOG"), (SYS_ADMIN, "SYS_ADMIN")];
    names
        .into_iter()
        .filter(|(number, _)| permitted & (1 << number) != 0)
        .map(|(number, name)| Kept { number, name, reason: "--no-drop".to_owned() })
        .collect()
}

/// Gives all others up for good: permitted, effective, inheritable and, where allowed, bounding set.
pub fn reduce_to(kept: &[Kept]) -> io::Result<()> {
    let mask = kept.iter().fold(0u64, |mask, capability| mask | 1 << capability.number);
    for number in (0..=LAST).filter(|number| mask & (1 << number) == 0) {
        // Needs SETPCAP, which a container does not have; then no_new_privs alone keeps an exec from regaining it.
        if sys::drop_bounding_capability(number).is_err() {
            break;
        }
    }
    sys::set_capabilities(mask, mask & !(1 << SYS_ADMIN))?;
    sys::set_no_new_privileges()
}

/// Runs `work` with SYS_ADMIN in effect, if it was kept.
pub fn with_sys_admin<T>(work: impl FnOnce() -> T) -> T {
    let permitted = sys::permitted_capabilities().unwrap_or(0);
    let raised = permitted & (1 << SYS_ADMIN) != 0 && sys::set_capabilities(permitted, permitted).is_ok();
    let result = work();
    if raised && sys::set_capabilities(permitted, permitted & !(1 << SYS_ADMIN)).is_err() {
        say!("caps: SYS_ADMIN stays in effect");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = u64::MAX;

    fn names(kept: &[Kept]) -> Vec<&str> {
        kept.iter().map(|capability| capability.name).collect()
    }

    #[test]
    fn sys_admin_goes_where_perf_events_are_open_to_perfmon() {
        assert_eq!(names(&choose(ALL, Needs { perf_event_paranoid: 2 })), ["BPF", "PERFMON", "SYS_RESOURCE", "SYSLOG"]);
    }

    #[test]
    fn sys_admin_stays_with_its_reason_where_a_tracepoint_needs_it() {
        let kept = choose(ALL, Needs { perf_event_paranoid: 3 });
        assert!(kept.last().unwrap().reason.starts_with("perf_event_paranoid is 3"));
    }

    #[test]
    fn what_the_process_never_had_is_not_listed() {
        assert_eq!(names(&choose(1 << BPF, Needs { perf_event_paranoid: 3 })), ["BPF"]);
    }
}
