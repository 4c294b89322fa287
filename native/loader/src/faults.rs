//! Fault points for the chaos tests: compiled in with the feature `faults` only.
//! `begin`, `hook_open`, `hook_load`, `hook_attach`, `data`, `node`, `before_flip`, `after_flip`, `before_journal`; each with an optional
//! `:n` (the n-th time) and `=kill` or `=error`.
//!
//! In a running cluster the agent holds the control connection, so files in the folder of the state do the same: while `fault` is there,
//! the point that it names fails every time; `try-sockets` makes this process try to make sockets, and write to `sockets` what came of it.

use crate::result::Outcome;

#[cfg(not(feature = "faults"))]
pub fn hit(_: &str) -> Outcome<()> {
    Ok(())
}

#[cfg(not(feature = "faults"))]
pub fn arm(_: &str) -> Outcome<()> {
    Err(crate::result::Failure::parse("fault points are not built into this loader"))
}

#[cfg(feature = "faults")]
pub use armed::{arm, hit, look, watch};

#[cfg(feature = "faults")]
mod armed {
    use super::Outcome;
    use crate::reasons;
    use crate::result::{Failure, Stage};
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

    fn watched(file: &str) -> Option<PathBuf> {
        FOLDER.lock().ok()?.as_ref().map(|folder| folder.join(file))
    }

    /// Files in this folder set faults off from now on.
    pub fn watch(folder: &Path) {
        if let Ok(mut watched) = FOLDER.lock() {
            *watched = Some(folder.to_owned());
        }
    }

    fn is_named_by_file(point: &str) -> bool {
        watched("fault").and_then(|path| std::fs::read_to_string(path).ok()).is_some_and(|text| text.trim() == point)
    }

    fn sockets() -> String {
        let families = [
            ("AF_UNIX", AddressFamily::Unix, SockType::Stream),
            ("AF_INET", AddressFamily::Inet, SockType::Stream),
            ("AF_INET6", AddressFamily::Inet6, SockType::Datagram),
            ("AF_NETLINK", AddressFamily::Netlink, SockType::Raw),
            ("AF_PACKET", AddressFamily::Packet, SockType::Raw),
        ];
        let tried = families.map(|(name, family, kind)| match socket(family, kind, SockFlag::SOCK_CLOEXEC, None) {
            Ok(_) => format!("{name} made\n"),
            Err(errno) => format!("{name} {errno:?}\n"),
        });
        tried.concat()
    }

    /// To be called from time to time by the thread that serves.
    pub fn look() {
        let Some(wish) = watched("try-sockets").filter(|wish| std::fs::remove_file(wish).is_ok()) else { return };
        if let Err(error) = std::fs::write(wish.with_file_name("sockets"), sockets()) {
            crate::say::say!("faults: {error}");
        }
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Fault {
        point: String,
        /// Passes left before it strikes.
        passes: u32,
        kills: bool,
    }

    static FAULT: Mutex<Option<Fault>> = Mutex::new(None);

    fn parse(text: &str) -> Option<Fault> {
        let (place, action) = text.split_once('=').unwrap_or((text, "error"));
        let (point, count) = place.split_once(':').unwrap_or((place, "1"));
        let kills = match action {
            "kill" => true,
            "error" => false,
            _ => return None,
        };
        Some(Fault { point: point.to_owned(), passes: count.parse::<u32>().ok()?.checked_sub(1)?, kills })
    }

    /// `point[:n][=kill|=error]`; empty text disarms.
    pub fn arm(text: &str) -> Outcome<()> {
        let fault = match text {
            "" => None,
            text => Some(parse(text).ok_or_else(|| Failure::parse(format!("fault {text:?}: point[:n][=kill|=error] is right")))?),
        };
        if let Ok(mut armed) = FAULT.lock() {
            *armed = fault;
        }
        Ok(())
    }

    pub fn hit(point: &str) -> Outcome<()> {
        if is_named_by_file(point) {
            // The policy's fault, not the node's: as if the verifier had refused it.
            return Err(Failure::new(Stage::Load, reasons::VERIFIER_REJECTED, format!("fault point {point}, by file")));
        }
        let Ok(mut armed) = FAULT.lock() else { return Ok(()) };
        match armed.as_mut() {
            Some(fault) if fault.point == point => {
                if let Some(left) = fault.passes.checked_sub(1) {
                    fault.passes = left;
                    return Ok(());
                }
                if fault.kills {
                    let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
                }
                *armed = None;
                Err(Failure::new(Stage::Load, reasons::LOAD_ERROR, format!("fault point {point}")))
            }
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_fault_strikes_at_its_point_and_count_once() {
            arm("data:2=error").unwrap();
            assert!(hit("begin").is_ok());
            assert!(hit("data").is_ok());
            assert!(hit("data").is_err());
            assert!(hit("data").is_ok());
            assert!(arm("data=explode").is_err());
        }

        #[test]
        fn a_file_makes_its_point_fail_as_long_as_it_is_there() {
            let folder = std::env::temp_dir().join(format!("palisade-faults-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            watch(&folder);
            std::fs::write(folder.join("fault"), "hook_attach\n").unwrap();
            assert!(hit("hook_attach").is_err());
            assert!(hit("hook_attach").is_err());
            assert!(hit("node").is_ok());
            std::fs::remove_file(folder.join("fault")).unwrap();
            assert!(hit("hook_attach").is_ok());
            std::fs::write(folder.join("try-sockets"), "").unwrap();
            look();
            assert!(std::fs::read_to_string(folder.join("sockets")).unwrap().contains("AF_UNIX made"));
            std::fs::remove_dir_all(&folder).unwrap();
        }
    }
}
