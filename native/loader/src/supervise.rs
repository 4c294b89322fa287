//! The first process of a container: starts its child and starts it again at once when it ends, so that the kubelet's back-off never
//! leaves a node without loader. SIGTERM and SIGINT go to the child and end both.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::say::say;
use crate::sys;

/// Restarts grow slower only for a child that dies as soon as it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    quick_deaths: u32,
}

impl Backoff {
    const STABLE: Duration = Duration::from_secs(10);
    const FIRST: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_secs(1);

    /// How long to wait after a child that lived that long; the first death after a stable life waits for nothing.
    #[must_use]
    pub fn after(self, lived: Duration) -> (Self, Duration) {
        if lived >= Self::STABLE {
            return (Self::default(), Duration::ZERO);
        }
        let deaths = self.quick_deaths.saturating_add(1);
        let wait = match deaths {
            1 => Duration::ZERO,
            more => Self::FIRST.saturating_mul(1 << (more - 2).min(10)).min(Self::MOST),
        };
        (Self { quick_deaths: deaths }, wait)
    }
}

static CHILD: AtomicI32 = AtomicI32::new(0);
static ENDING: AtomicBool = AtomicBool::new(false);

extern "C" fn forward(number: i32) {
    ENDING.store(true, Ordering::SeqCst);
    let child = CHILD.load(Ordering::SeqCst);
    if child > 0 {
        if let Ok(signal) = Signal::try_from(number) {
            let _ = signal::kill(Pid::from_raw(child), signal);
        }
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown end".to_owned(),
    }
}

/// As a shell: 128 + signal.
fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

fn start(command: &[String]) -> io::Result<Child> {
    let (program, arguments) = command.split_first().ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
    Command::new(program).args(arguments).spawn()
}

/// Runs the child once and waits for its end.
fn run_once(command: &[String]) -> io::Result<ExitStatus> {
    let mut child = start(command)?;
    CHILD.store(i32::try_from(child.id()).unwrap_or(0), Ordering::SeqCst);
    if ENDING.load(Ordering::SeqCst) {
        // The signal came before the handler could know the child.
        let _ = signal::kill(Pid::from_raw(CHILD.load(Ordering::SeqCst)), Signal::SIGTERM);
    }
    let status = child.wait();
    CHILD.store(0, Ordering::SeqCst);
    status
}

/// Returns the exit status for our own process: the child's, once a signal has ended both.
pub fn run(command: &[String]) -> i32 {
    if let Err(error) = sys::on_signals(&[libc::SIGTERM, libc::SIGINT], forward) {
        say!("supervise: cannot take signals: {error}");
        return 1;
    }
    let mut backoff = Backoff::default();
    loop {
        let started = Instant::now();
        let status = match run_once(command) {
            Ok(status) => status,
            Err(error) => {
                say!("supervise: cannot run {}: {error}", command.first().map_or("", String::as_str));
                return 127;
            }
        };
        if ENDING.load(Ordering::SeqCst) {
            return exit_code(status);
        }
        let (next, wait) = backoff.after(started.elapsed());
        backoff = next;
        say!("supervise: child ended with {}; starts again in {} ms", describe(status), wait.as_millis());
        thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_dies_once_starts_again_at_once() {
        assert_eq!(Backoff::default().after(Duration::from_secs(3600)).1, Duration::ZERO);
        assert_eq!(Backoff::default().after(Duration::from_millis(5)).1, Duration::ZERO);
    }

    #[test]
    fn a_child_that_dies_at_once_every_time_waits_longer_and_never_over_a_second() {
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            let (next, wait) = backoff.after(Duration::from_millis(5));
            backoff = next;
            waits.push(wait.as_millis());
        }
        assert_eq!(waits, [0, 50, 100, 200, 400, 800, 1000, 1000, 1000]);
        assert_eq!(backoff.after(Duration::from_secs(10)), (Backoff::default(), Duration::ZERO));
    }

    #[test]
    fn the_childs_status_is_passed_on() {
        let shell = |script: &str| run_once(&["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()]).unwrap();
        assert_eq!(exit_code(shell("exit 3")), 3);
        assert_eq!(exit_code(shell("kill -9 $$")), 137);
        assert_eq!(describe(shell("kill -9 $$")), "signal 9");
    }
}
