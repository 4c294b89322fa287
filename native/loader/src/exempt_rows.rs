//! Rows of the map `exempt`. The kernel asks only whether there is one; its value says where it came from, so that it can go again: an inode
//! that nobody needs any more may be given to another file.

use std::collections::BTreeSet;

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::frame::u32_at;

pub type Key = [u8; 16];

/// Value of the executables of pid 1, loader and agent. Other values are the tag of a path, and perhaps OLD.
pub const OWN: u32 = 1;
/// The path has another inode by now: the row stays only as long as a process runs it.
const OLD: u32 = 1 << 31;

/// Stands for a path in a value: 31 bits of FNV-1a, never OWN.
pub fn tag_of(path: &[u8]) -> u32 {
    let hash = path.iter().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (hash & !OLD).max(OWN + 1)
}

/// What runs now.
#[derive(Debug, Default)]
pub struct Running {
    /// From one of the paths, in the host's mount namespace.
    pub listed: BTreeSet<Key>,
    /// From anywhere.
    pub any: BTreeSet<Key>,
}

/// Whether the row could go, whatever runs: those of other paths, of replaced files, and of processes that ended.
pub fn is_doubtful(value: u32, tags: &BTreeSet<u32>) -> bool {
    value & OLD != 0 || !tags.contains(&value)
}

/// The rows that are not needed any more.
pub fn stale(rows: &[(Key, u32)], running: &Running, tags: &BTreeSet<u32>) -> Vec<Key> {
    let needed = |(key, value): &(Key, u32)| match *value {
        OWN => running.any.contains(key) || running.listed.contains(key),
        value => !is_doubtful(value, tags) || running.listed.contains(key),
    };
    rows.iter().filter(|row| !needed(row)).map(|(key, _)| *key).collect()
}

pub fn all(map: &MapHandle) -> Vec<(Key, u32)> {
    let row = |key: Vec<u8>| Some((Key::try_from(key.as_slice()).ok()?, u32_at(&map.lookup(&key, MapFlags::ANY).ok()??, 0)?));
    map.keys().filter_map(row).collect()
}

/// Adds a row if there is none for the inode.
pub fn add(map: &MapHandle, key: &Key, value: u32) -> Result<(), libbpf_rs::Error> {
    match map.update(key, &value.to_le_bytes(), MapFlags::NO_EXIST) {
        Err(error) if error.kind() != libbpf_rs::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The path has this inode from now on; those that it had are old.
pub fn set_current(map: &MapHandle, path: &[u8], key: &Key) -> Result<(), libbpf_rs::Error> {
    let tag = tag_of(path);
    map.update(key, &tag.to_le_bytes(), MapFlags::ANY)?;
    for (other, value) in all(map) {
        if value == tag && other != *key {
            map.update(&other, &(tag | OLD).to_le_bytes(), MapFlags::EXIST)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = [1; 16];
    const B: Key = [2; 16];

    fn running(listed: &[Key], any: &[Key]) -> Running {
        Running { listed: listed.iter().copied().collect(), any: any.iter().copied().collect() }
    }

    fn tags(paths: &[&[u8]]) -> BTreeSet<u32> {
        paths.iter().map(|path| tag_of(path)).collect()
    }

    #[test]
    fn a_replaced_file_goes_when_its_last_process_has_ended() {
        let runc = tag_of(b"/usr/sbin/runc");
        let rows = [(A, runc | OLD), (B, runc)];
        let listed = tags(&[b"/usr/sbin/runc"]);
        assert!(stale(&rows, &running(&[A], &[A]), &listed).is_empty());
        assert_eq!(stale(&rows, &running(&[], &[A]), &listed), [A], "whoever else has that inode now is not runc");
    }

    #[test]
    fn a_file_that_nobody_runs_now_stays_while_it_is_the_newest_of_its_path() {
        let rows = [(A, tag_of(b"/usr/sbin/runc"))];
        assert!(stale(&rows, &Running::default(), &tags(&[b"/usr/sbin/runc"])).is_empty());
    }

    #[test]
    fn a_path_that_is_not_listed_any_more_takes_its_rows_along() {
        let rows = [(A, tag_of(b"/usr/bin/crio"))];
        assert_eq!(stale(&rows, &running(&[], &[A]), &tags(&[b"/usr/sbin/runc"])), [A]);
        assert!(is_doubtful(tag_of(b"/usr/bin/crio"), &tags(&[b"/usr/sbin/runc"])));
    }

    #[test]
    fn what_loader_and_agent_run_stays_as_long_as_somebody_runs_it() {
        let rows = [(A, OWN), (B, OWN)];
        assert_eq!(stale(&rows, &running(&[], &[A]), &BTreeSet::new()), [B]);
    }

    #[test]
    fn no_path_has_the_tag_of_our_own_or_the_mark_of_old_ones() {
        for path in [&b""[..], b"/", b"/usr/sbin/runc", b"/usr/bin/kubelet"] {
            assert!(tag_of(path) > OWN && tag_of(path) & OLD == 0);
        }
    }
}
