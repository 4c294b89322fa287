//! The loader's folder on the node: a lock, so that there is one loader, and a few small files.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};

use crate::reasons;
use crate::result::{Failure, Outcome, Stage, io_at};

/// How long a starting loader waits for its forerunner to end.
const TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);
/// Everything that a loader may leave in the folder; the lock goes last.
const FILES: [&str; 5] = ["journal.new", "journal", "facts.new", "facts", "lock"];

/// Held as long as it lives.
pub struct StateLock {
    folder: PathBuf,
    _held: Flock<File>,
}

impl StateLock {
    pub fn take(folder: &Path) -> Outcome<Self> {
        Self::take_within(folder, TIMEOUT)
    }

    fn take_within(folder: &Path, timeout: Duration) -> Outcome<Self> {
        fs::create_dir_all(folder).map_err(io_at(Stage::Open, "state directory"))?;
        let path = folder.join("lock");
        let deadline = Instant::now() + timeout;
        loop {
            let file = File::create(&path).map_err(io_at(Stage::Open, "lock"))?;
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(held) if is_at(&held, &path) => return Ok(Self { folder: folder.to_owned(), _held: held }),
                // Its last holder has removed it in between: who comes now locks another file.
                Ok(_) => {}
                Err(_) if Instant::now() < deadline => thread::sleep(PAUSE),
                Err((_, errno)) => {
                    let mut failure = Failure::from_errno(Stage::Open, errno as i32, "another loader holds the lock");
                    failure.reason = reasons::RESOURCE_BUSY;
                    return Err(failure);
                }
            }
        }
    }

    /// Removes the files, and the folder if nothing else is in it.
    pub fn remove_state(self) {
        for name in FILES {
            let _ = fs::remove_file(self.folder.join(name));
        }
        // A mount point stays.
        let _ = fs::remove_dir(&self.folder);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let number = |found: &fs::Metadata| (found.dev(), found.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(ref held), Ok(ref there)) if number(held) == number(there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_on_a_file_that_was_removed_is_none() {
        let folder = std::env::temp_dir().join(format!("pal-lock-removed-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn there_is_one_loader_and_it_leaves_nothing_behind() {
        let folder = std::env::temp_dir().join(format!("pal-lock-{}", std::process::id()));
        let first = StateLock::take(&folder).unwrap();
        fs::write(folder.join("facts"), "x").unwrap();
        let Err(failure) = StateLock::take_within(&folder, Duration::ZERO) else { panic!("two locks") };
        assert_eq!(failure.reason, "ResourceBusy");
        first.remove_state();
        assert!(!folder.exists());
        StateLock::take(&folder).unwrap().remove_state();
    }
}
