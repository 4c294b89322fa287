//! libbpf's warnings, caught: the verifier's log of a refused program is among them, and nowhere else.

use std::sync::Mutex;

use libbpf_rs::{PrintLevel, set_print};

use crate::frame::tail;

const KEEP_BYTES: usize = 64 << 10;
const BEGIN: &str = "BEGIN PROG LOAD LOG --";
const END: &str = "-- END PROG LOAD LOG";

static WARNINGS: Mutex<String> = Mutex::new(String::new());

/// To be called once, before libbpf is used.
pub fn catch() {
    set_print(Some((PrintLevel::Warn, append)));
}

fn append(_: PrintLevel, message: String) {
    if let Ok(mut warnings) = WARNINGS.lock() {
        warnings.push_str(&message);
        if warnings.len() > 2 * KEEP_BYTES {
            *warnings = tail(&warnings, KEEP_BYTES).to_owned();
        }
    }
}

/// All that libbpf said since the last call.
pub fn take() -> String {
    WARNINGS.lock().map(|mut warnings| std::mem::take(&mut *warnings)).unwrap_or_default()
}

/// Of libbpf's warnings: the verifier's last log where there is one (without its statistics' trailing blank), else the warnings.
pub fn excerpt(warnings: &str) -> &str {
    let log = warnings.rsplit_once(BEGIN).map_or(warnings, |(_, log)| log);
    log.split(END).next().unwrap_or(log).trim()
}

/// The program that was refused, where libbpf names it.
pub fn refused_program(warnings: &str) -> Option<&str> {
    let (before, _) = warnings.split_once("': BPF program load failed")?;
    before.rsplit_once("prog '").map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_cut_out_of_what_libbpf_says_around_it() {
        let text = "libbpf: prog 'x': BPF program load failed: -EACCES\nlibbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n0: (b7) r0 = 0\nR1 bad\nprocessed 2 insns\n-- END PROG LOAD LOG --\nlibbpf: failed to load object\n";
        assert_eq!(refused_program(text), Some("x"));
        assert_eq!(refused_program("libbpf: nothing"), None);
        assert_eq!(excerpt(text), "0: (b7) r0 = 0\nR1 bad\nprocessed 2 insns");
        assert_eq!(excerpt("libbpf: failed to find kernel BTF type ID of 'x': -3\n"), "libbpf: failed to find kernel BTF type ID of 'x': -3");
    }
}
