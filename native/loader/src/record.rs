//! `record`: everything that decides what a policy comes to on this kernel, as one file. Its form is that of src/policy/bind/facts-file.ts:
//! a line of JSON, and behind it the kernel's type information as the kernel gives it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::btf;
use crate::catalogue::{self, Field};
use crate::facts::Facts;
use crate::host::{self, Tracefs};
use crate::result::{Failure, Outcome, Stage, io_at};

const FORMAT: u32 = 1;
const BTF_FOLDER: &str = "/sys/kernel/btf";
const VMLINUX: &str = "vmlinux";

/// Options of the build that say why something works or does not.
const CONFIG: [&str; 22] = [
    "CONFIG_BPF_EVENTS",
    "CONFIG_BPF_JIT_ALWAYS_ON",
    "CONFIG_BPF_KPROBE_OVERRIDE",
    "CONFIG_BPF_LSM",
    "CONFIG_DEBUG_INFO_BTF",
    "CONFIG_DEBUG_INFO_BTF_MODULES",
    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
    "CONFIG_FPROBE",
    "CONFIG_FTRACE_SYSCALLS",
    "CONFIG_FUNCTION_ERROR_INJECTION",
    "CONFIG_IMA",
    "CONFIG_KPROBES_ON_FTRACE",
    "CONFIG_LSM",
    "CONFIG_PREEMPT",
    "CONFIG_PREEMPT_DYNAMIC",
    "CONFIG_PREEMPT_LAZY",
    "CONFIG_PREEMPT_NONE",
    "CONFIG_PREEMPT_RT",
    "CONFIG_PREEMPT_VOLUNTARY",
    "CONFIG_SECURITY_LOCKDOWN_LSM",
    "CONFIG_SECURITY_PATH",
    "CONFIG_UPROBES",
];

/// What `record` writes, beside what it finds itself.
pub struct Recording<'a> {
    pub facts: &'a Facts,
    pub tracefs: &'a Tracefs,
    /// Names of kernel modules whose types belong into the file.
    pub modules: &'a [String],
    /// The kernel's build configuration, if it is not where distributions put it.
    pub config: Option<&'a Path>,
}

pub fn record(recording: &Recording<'_>, out: &mut impl Write) -> Outcome<()> {
    let mut parts = vec![(VMLINUX.to_owned(), read_types(VMLINUX)?)];
    for module in recording.modules {
        if module.is_empty() || !module.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Failure::parse(format!("--module {module:?}: a name as in /proc/modules is right")));
        }
        parts.push((module.clone(), read_types(module)?));
    }
    let header = header(recording, &parts)?;
    let written = out.write_all(header.as_bytes()).and_then(|()| parts.iter().try_for_each(|(_, bytes)| out.write_all(bytes)));
    written.and_then(|()| out.flush()).map_err(io_at(Stage::Open, "output"))
}

fn read_types(name: &str) -> Outcome<Vec<u8>> {
    let path = format!("{BTF_FOLDER}/{name}");
    fs::read(&path).map_err(io_at(Stage::Btf, &path))
}

fn header(recording: &Recording<'_>, parts: &[(String, Vec<u8>)]) -> Outcome<String> {
    let functions = btf::all_function_names(&btf::kernel()?);
    let probeable = catalogue::probeable(functions.clone(), Some(recording.tracefs));
    let unprobeable: BTreeSet<String> = functions.difference(&probeable).cloned().collect();
    let injectable: BTreeSet<String> = host::error_injectable().into_iter().collect();
    let config = match recording.config {
        Some(path) => fs::read_to_string(path).map_err(io_at(Stage::Open, "--config"))?,
        None => host::build_config(),
    };
    let tracepoints = formats(recording.tracefs).map_err(io_at(Stage::Open, "tracefs"))?;
    let formats: Vec<String> = tracepoints.iter().map(|(name, fields)| format!("{}:{}", text(name), list(fields))).collect();
    let sizes: Vec<String> = parts.iter().map(|(name, bytes)| format!("[{},{}]", text(name), bytes.len())).collect();
    Ok(format!(
        "{{\"palisade\":\"kernel\",\"format\":{FORMAT},\"facts\":{},\"config\":{},\"unprobeable\":{},\"errorInjectable\":{},\"tracepoints\":{{{}}},\"btf\":[{}]}}\n",
        list(&recording.facts.lines),
        list(options(&config)),
        list(&unprobeable),
        list(&injectable),
        formats.join(","),
        sizes.join(","),
    ))
}

/// The lines `CONFIG_X=…` of the options that matter.
fn options(config: &str) -> Vec<&str> {
    let wanted = |line: &&str| line.split_once('=').is_some_and(|(name, _)| CONFIG.contains(&name));
    config.lines().map(str::trim).filter(wanted).collect()
}

/// `declaration;offset;size;signed` of every field, by tracepoint.
fn formats(tracefs: &Tracefs) -> io::Result<BTreeMap<String, Vec<String>>> {
    let mut all = BTreeMap::new();
    for name in catalogue::tracepoint_names(tracefs.path())? {
        let format = fs::read_to_string(tracefs.path().join("events").join(&name).join("format"))?;
        let line = |Field { declaration, offset, size, signed }: Field<'_>| format!("{declaration};{offset};{size};{signed}");
        let fields = format.lines().filter_map(Field::parse).map(line).collect();
        all.insert(name, fields);
    }
    Ok(all)
}

fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", texts.join(","))
}

/// A JSON string.
fn text(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len() + 2);
    quoted.push('"');
    for letter in plain.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_json_wants_it() {
        assert_eq!(text("a\"b\\c\td"), "\"a\\\"b\\\\c\\u0009d\"");
        assert_eq!(list(["a", "b"]), "[\"a\",\"b\"]");
        assert_eq!(list(Vec::<String>::new()), "[]");
    }

    #[test]
    fn only_options_that_matter_are_kept() {
        let config = "# CONFIG_FPROBE is not set\nCONFIG_BPF_LSM=y\nCONFIG_NET=y\nCONFIG_LSM=\"yama,bpf\"\n";
        assert_eq!(options(config), ["CONFIG_BPF_LSM=y", "CONFIG_LSM=\"yama,bpf\""]);
    }
}
