//! Fault points for the chaos tests: compiled in with the feature `faults` only.
//! `begin`, `hook_open`, `hook_load`, `hook_attach`, `data`, `node`, `before_flip`, `after_flip`, `before_journal`; each with an optional
//! `:n` (the n-th time) and `=kill` or `=error`.

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
pub use armed::{arm, hit};

#[cfg(feature = "faults")]
mod armed {
    use super::Outcome;
    use crate::reasons;
    use crate::result::{Failure, Stage};
    use std::sync::Mutex;

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
    }
}
