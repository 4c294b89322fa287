//! The kinds of hooks, one row each: which programs of the engine belong to it, how they get their target, how they are attached.

use libbpf_rs::{Link, OpenProgramMut, ProgramAttachType, ProgramMut, TracepointCategory};

use crate::reasons::{self, Reason};
use crate::result::{Failure, Outcome, Stage};

type Result<T> = std::result::Result<T, libbpf_rs::Error>;

pub struct HookKind {
    /// As in METHOD.
    pub name: &'static str,
    /// The engine's programs are `disp_X`, `eng_X` and `noop_X`.
    pub suffix: &'static str,
    /// Gives a program its target, before it is loaded.
    pub aim: fn(&mut OpenProgramMut<'_>, &str) -> Result<()>,
    pub attach: fn(&ProgramMut<'_>, &str) -> Result<Link>,
    /// What it means that the target is not there.
    pub missing: Reason,
    /// The link is a perf event.
    pub is_perf_event: bool,
}

impl std::fmt::Debug for HookKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

fn aim_at_function(program: &mut OpenProgramMut<'_>, target: &str) -> Result<()> {
    program.set_attach_target(0, Some(target.to_owned()))
}

fn aim_at_nothing(_: &mut OpenProgramMut<'_>, _: &str) -> Result<()> {
    Ok(())
}

fn aim_at_many(program: &mut OpenProgramMut<'_>, _: &str) -> Result<()> {
    program.set_attach_type(ProgramAttachType::KprobeMulti);
    Ok(())
}

fn attach_tracepoint(program: &ProgramMut<'_>, target: &str) -> Result<Link> {
    let (group, event) = target.split_once('/').unwrap_or(("", target));
    program.attach_tracepoint(TracepointCategory::Custom(group.to_owned()), event)
}

pub static KINDS: [HookKind; 6] = [
    HookKind {
        name: "lsm",
        suffix: "lsm",
        aim: aim_at_function,
        attach: |program, _| program.attach_lsm(),
        missing: reasons::LSM_HOOK_NOT_FOUND,
        is_perf_event: false,
    },
    HookKind {
        name: "fmod_ret",
        suffix: "fmod",
        aim: aim_at_function,
        attach: |program, _| program.attach_trace(),
        missing: reasons::FUNCTION_NOT_FOUND,
        is_perf_event: false,
    },
    HookKind {
        name: "kprobe_multi",
        suffix: "kp",
        aim: aim_at_many,
        attach: |program, target| program.attach_kprobe_multi(false, vec![target]),
        missing: reasons::FUNCTION_NOT_FOUND,
        is_perf_event: false,
    },
    HookKind {
        name: "kprobe",
        suffix: "kp",
        aim: aim_at_nothing,
        attach: |program, target| program.attach_kprobe(false, target),
        missing: reasons::FUNCTION_NOT_FOUND,
        is_perf_event: true,
    },
    HookKind {
        name: "tracepoint",
        suffix: "tp",
        aim: aim_at_nothing,
        attach: attach_tracepoint,
        missing: reasons::TRACEPOINT_MISSING,
        is_perf_event: true,
    },
    HookKind {
        name: "raw_tp",
        suffix: "rtp",
        aim: aim_at_nothing,
        attach: |program, target| program.attach_raw_tracepoint(target),
        missing: reasons::TRACEPOINT_MISSING,
        is_perf_event: false,
    },
];

/// A kind and its target: `lsm:file_open`.
#[derive(Clone, Debug)]
pub struct Method {
    pub kind: &'static HookKind,
    pub target: String,
}

impl Method {
    pub fn parse(text: &str) -> Outcome<Self> {
        let (name, target) = text.split_once(':').ok_or_else(|| Failure::parse(format!("method {text:?}: KIND:TARGET is right")))?;
        let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let reason = reasons::NOT_SUPPORTED_BY_AGENT;
            Failure::new(Stage::Parse, reason, format!("method {name:?} is not known to this loader"))
        })?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/');
        if target.is_empty() || target.len() > 120 || !target.bytes().all(allowed) || (kind.name == "tracepoint") != target.contains('/') {
            return Err(Failure::parse(format!("method {text:?}: the target is not a name")));
        }
        Ok(Self { kind, target: target.to_owned() })
    }

    pub fn text(&self) -> String {
        format!("{}:{}", self.kind.name, self.target)
    }

    pub fn program(&self, role: &str) -> String {
        format!("{role}_{}", self.kind.suffix)
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name == other.kind.name && self.target == other.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_read_and_written() {
        for text in [
            "lsm:file_open",
            "kprobe_multi:__x64_sys_execve",
            "kprobe:do_exit",
            "fmod_ret:security_file_open",
            "raw_tp:sys_enter",
            "tracepoint:sched/sched_process_exec",
        ] {
            assert_eq!(Method::parse(text).unwrap().text(), text);
        }
        assert_eq!(Method::parse("kprobe_multi:x").unwrap().program("disp"), "disp_kp");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["lsm", "lsm:", "lsm:a b", "tracepoint:noslash", "kprobe:a/b", "nosuch:x", "kprobe:x;y"] {
            assert!(Method::parse(text).is_err(), "{text}");
        }
    }
}
