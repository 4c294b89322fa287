//! Names that exist in this kernel (CATALOGUE), and what a tracepoint or function looks like (RESOLVE). Read once, at the start, while
//! the capabilities for it are there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::btf;
use crate::host::{self, Tracefs};
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, io_at};

#[derive(Debug, Default)]
pub struct Catalogue {
    pub functions: Vec<String>,
    pub lsm_hooks: Vec<String>,
    pub tracepoints: Vec<String>,
    /// sha256 of all names and the release: nodes with equal values have equal kernels.
    pub build: [u8; 32],
}

pub fn read(tracefs: Option<&Tracefs>) -> Outcome<Catalogue> {
    let known = btf::kernel()?;
    let all = btf::function_names(&known);
    let lsm_hooks: BTreeSet<String> = all.iter().filter_map(|name| btf::lsm_hook_of(name)).map(str::to_owned).collect();
    let functions = probeable(all.into_iter().collect(), tracefs);
    let tracepoints = tracefs.and_then(|tracefs| tracepoint_names(tracefs.path()).ok()).unwrap_or_default();
    let mut digest = Sha256::new().chain_update(host::release());
    for name in functions.iter().chain(&lsm_hooks).chain(&tracepoints) {
        digest.update(b"\n");
        digest.update(name);
    }
    Ok(Catalogue {
        functions: functions.into_iter().collect(),
        lsm_hooks: lsm_hooks.into_iter().collect(),
        tracepoints: tracepoints.into_iter().collect(),
        build: digest.finalize().into(),
    })
}

/// Of BTF's functions, those that ftrace can probe; where that list is out of reach, those that the kernel has symbols for.
pub fn probeable(all: BTreeSet<String>, tracefs: Option<&Tracefs>) -> BTreeSet<String> {
    let traceable = tracefs
        .and_then(|tracefs| fs::read_to_string(tracefs.path().join("available_filter_functions")).ok())
        .map(|text| text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect::<BTreeSet<_>>());
    let exist = traceable.or_else(|| fs::read_to_string("/proc/kallsyms").ok().map(|text| symbols(&text)));
    match exist {
        Some(exist) if !exist.is_empty() => all.into_iter().filter(|name| exist.contains(name)).collect(),
        _ => all,
    }
}

/// Text symbols of the kernel itself (no module).
fn symbols(kallsyms: &str) -> BTreeSet<String> {
    kallsyms
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (_, kind, name) = (words.next()?, words.next()?, words.next()?);
            (kind.eq_ignore_ascii_case("t") && words.next().is_none()).then(|| name.to_owned())
        })
        .collect()
}

pub fn tracepoint_names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for system in fs::read_dir(folder.join("events"))? {
        let system = system?.path();
        let (Some(group), true) = (system.file_name().and_then(|name| name.to_str()), system.is_dir()) else { continue };
        for event in fs::read_dir(&system)? {
            let event = event?.path();
            if let (Some(name), true) = (event.file_name().and_then(|name| name.to_str()), event.join("format").is_file()) {
                names.insert(format!("{group}/{name}"));
            }
        }
    }
    Ok(names)
}

/// Answers the texts of QUERY, in order: empty text for what does not exist.
pub fn resolve(queries: &[&str], tracefs: Option<&Tracefs>) -> Outcome<Vec<String>> {
    let parsed = queries.iter().map(|query| Query::parse(query)).collect::<Outcome<Vec<_>>>()?;
    let wanted: BTreeSet<String> = parsed.iter().filter_map(Query::function).map(str::to_owned).collect();
    let known = if wanted.is_empty() { None } else { Some(btf::kernel()?) };
    let functions = known.as_ref().map(|known| btf::functions(known, &wanted)).unwrap_or_default();
    let answer = |query: &Query<'_>| match query {
        Query::Tracepoint(name) => tracepoint_format(name, tracefs),
        Query::Function(name) => {
            let found = known.as_ref().zip(functions.get(name));
            Ok(found.and_then(|(known, function)| btf::prototype(known, function)).unwrap_or_default())
        }
    };
    parsed.iter().map(answer).collect()
}

enum Query<'a> {
    /// `system/event`.
    Tracepoint(&'a str),
    Function(String),
}

impl<'a> Query<'a> {
    fn parse(text: &'a str) -> Outcome<Self> {
        match text.split_once(':') {
            Some(("tracepoint", name)) => Ok(Self::Tracepoint(name)),
            Some(("function", name)) => Ok(Self::Function(name.to_owned())),
            Some(("lsm", name)) => Ok(Self::Function(btf::lsm_function(name))),
            _ => Err(Failure::parse(format!("query {text:?}: tracepoint:, function: or lsm: and a name are right"))),
        }
    }

    fn function(&self) -> Option<&str> {
        match self {
            Self::Function(name) => Some(name),
            Self::Tracepoint(_) => None,
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// `name offset size signed dataloc` per field.
fn tracepoint_format(name: &str, tracefs: Option<&Tracefs>) -> Outcome<String> {
    let parts = name.split_once('/').filter(|(group, event)| is_name(group) && is_name(event));
    let Some((group, event)) = parts else { return Err(Failure::parse(format!("tracepoint {name:?}: SYSTEM/EVENT is right"))) };
    let folder = tracefs.ok_or_else(|| Failure::new(Stage::Open, reasons::PERMISSION_DENIED, "tracefs is out of reach"))?.path();
    match fs::read_to_string(folder.join("events").join(group).join(event).join("format")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other.map(|text| format_lines(&text)).map_err(io_at(Stage::Open, "tracefs")),
    }
}

fn format_lines(format: &str) -> String {
    format.lines().filter_map(Field::parse).filter_map(|field| field.resolved()).fold(String::new(), |text, line| text + &line + "\n")
}

/// The kernel's `field:TYPE NAME;\toffset:N;\tsize:N;\tsigned:N;`.
pub struct Field<'a> {
    pub declaration: &'a str,
    pub offset: &'a str,
    pub size: &'a str,
    pub signed: &'a str,
}

impl<'a> Field<'a> {
    pub fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.trim().split(';').map(str::trim);
        Some(Self {
            declaration: parts.next()?.strip_prefix("field:")?,
            offset: parts.next()?.strip_prefix("offset:")?,
            size: parts.next()?.strip_prefix("size:")?,
            signed: parts.next().and_then(|part| part.strip_prefix("signed:")).unwrap_or("0"),
        })
    }

    fn resolved(&self) -> Option<String> {
        let Self { declaration, offset, size, signed } = self;
        let (kind, name) = declaration.rsplit_once(char::is_whitespace)?;
        let name = name.split('[').next()?.trim_start_matches('*');
        let dataloc = u8::from(kind.starts_with("__data_loc"));
        Some(format!("{name} {offset} {size} {signed} {dataloc}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_becomes_one_line_per_field() {
        let text = "name: sched_process_exec\nID: 314\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\
            \tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n\
            \tfield:char comm[16];\toffset:16;\tsize:16;\tsigned:0;\n\tfield:const char * p;\toffset:32;\tsize:8;\tsigned:0;\n\nprint fmt: \"x\"\n";
        assert_eq!(format_lines(text), "common_type 0 2 0 0\nfilename 8 4 0 1\npid 12 4 1 0\ncomm 16 16 0 0\np 32 8 0 0\n");
    }

    #[test]
    fn symbols_of_modules_and_data_are_left_out() {
        let text = "0000 T vfs_read\n0000 t helper\n0000 D jiffies\n0000 t ext4_read [ext4]\n";
        assert_eq!(symbols(text).into_iter().collect::<Vec<_>>(), ["helper", "vfs_read"]);
    }

    #[test]
    fn queries_cannot_leave_tracefs() {
        assert!(resolve(&["tracepoint:../../etc"], None).is_err());
        assert!(resolve(&["tracepoint:a/../b"], None).is_err());
        assert!(resolve(&["nonsense"], None).is_err());
        assert!(resolve(&["nosuch:x"], None).is_err());
    }
}
