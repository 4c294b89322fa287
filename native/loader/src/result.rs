//! What went wrong: the stage, the errno, a stable reason, a sentence and the end of the verifier's log.

use std::fmt;
use std::io;

use crate::reasons::{self, Reason};

/// How far an operation came. The numbers are the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Stage {
    Ok = 0,
    Parse = 1,
    Btf = 2,
    Open = 3,
    Fill = 4,
    Load = 5,
    Attach = 6,
    Pin = 7,
    Flip = 8,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub stage: Stage,
    /// Positive; 0 where no system call failed.
    pub errno: i32,
    pub reason: Reason,
    pub message: String,
    /// The end of the verifier's log, or nothing.
    pub verifier: String,
}

pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub fn new(stage: Stage, reason: Reason, message: impl Into<String>) -> Self {
        Self { stage, errno: 0, reason, message: message.into(), verifier: String::new() }
    }

    /// A request that is not what the protocol says.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::new(Stage::Parse, reasons::LOAD_ERROR, message)
    }

    /// An operation at a moment at which it has no meaning.
    pub fn state(message: impl Into<String>) -> Self {
        Self::new(Stage::Flip, reasons::RESOURCE_BUSY, message)
    }

    pub fn from_errno(stage: Stage, errno: i32, what: &str) -> Self {
        let message = format!("{what}: {}", io::Error::from_raw_os_error(errno));
        Self { stage, errno, reason: general_reason(stage, errno), message, verifier: String::new() }
    }

    #[must_use]
    pub fn with_verifier(mut self, verifier: String) -> Self {
        self.verifier = verifier;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (stage {:?}, errno {}, {})", self.message, self.stage, self.errno, self.reason)
    }
}

/// Reasons that an errno alone allows. Errno says little: callers that know more say more.
fn general_reason(stage: Stage, errno: i32) -> Reason {
    match (stage, errno) {
        (_, libc::ENOMEM | libc::EMFILE | libc::ENFILE | libc::ENOSPC) => reasons::MEMORY_LIMIT,
        (_, libc::EPERM) => reasons::PERMISSION_DENIED,
        (Stage::Load, libc::EACCES) => reasons::VERIFIER_REJECTED,
        (Stage::Load, libc::E2BIG) => reasons::VERIFIER_BUDGET,
        (Stage::Attach, libc::E2BIG) => reasons::TRAMPOLINE_LIMIT,
        (_, libc::EACCES) => reasons::PERMISSION_DENIED,
        (_, libc::EBUSY | libc::EAGAIN) => reasons::RESOURCE_BUSY,
        _ => reasons::LOAD_ERROR,
    }
}

/// The errno inside a libbpf error; EIO where there is none. libbpf-rs hides the innermost error: its text is the only way to the number.
pub fn errno_of(error: &libbpf_rs::Error) -> i32 {
    errno_in(&format!("{error:#}")).unwrap_or(libc::EIO)
}

/// The number in the last "(os error N)".
fn errno_in(text: &str) -> Option<i32> {
    let (_, rest) = text.rsplit_once("(os error ")?;
    rest.split_once(')')?.0.parse::<i32>().ok().map(i32::abs)
}

/// `.map_err(at(Stage::Load, "what"))` for libbpf's errors.
pub fn at<'a>(stage: Stage, what: &'a str) -> impl FnOnce(libbpf_rs::Error) -> Failure + 'a {
    move |error| {
        let errno = errno_of(&error);
        let mut failure = Failure::from_errno(stage, errno, what);
        failure.message = format!("{what}: {error:#}");
        failure
    }
}

/// The same for the errors of files and sockets.
pub fn io_at<'a>(stage: Stage, what: &'a str) -> impl FnOnce(io::Error) -> Failure + 'a {
    move |error| {
        let mut failure = Failure::from_errno(stage, error.raw_os_error().unwrap_or(libc::EIO), what);
        failure.message = format!("{what}: {error}");
        failure
    }
}

/// The same for nix.
pub fn nix_at<'a>(stage: Stage, what: &'a str) -> impl FnOnce(nix::errno::Errno) -> Failure + 'a {
    move |errno| Failure::from_errno(stage, errno as i32, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errno_is_found_under_every_layer_of_context() {
        let error = libbpf_rs::Error::from_raw_os_error(libc::ESRCH);
        assert_eq!(errno_of(&error), libc::ESRCH);
        let wrapped = libbpf_rs::ErrorExt::context(error, "failed to attach");
        assert_eq!(errno_of(&wrapped), libc::ESRCH);
        assert_eq!(errno_in("no number"), None);
    }
}
