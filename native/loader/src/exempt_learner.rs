//! Learns inodes of exempt executables from exec records, for those that are never seen running (runc lives for milliseconds) and whose
//! files are out of the loader's sight.

use std::collections::{BTreeMap, BTreeSet};

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;
use crate::exempt_rows;
use crate::frame::{u16_at, u64_at};
use crate::process::{exempt_key, is_of_host};
use crate::say::say;

/// Inodes that one learner adds at most: an upgrade of a runtime changes a few.
const MOST_KEYS: usize = 256;

pub struct ExemptLearner {
    map: MapHandle,
    paths: BTreeSet<Vec<u8>>,
    /// Mount namespace of the host: the path means nothing in others.
    host_mounts: u32,
    /// The inode that each path was last seen with.
    latest: BTreeMap<Vec<u8>, exempt_rows::Key>,
    added: usize,
}

/// The path and the key to add for a record, if it is an exec of one of the paths by the host's root.
fn key_of<'r>(record: &'r [u8], paths: &BTreeSet<Vec<u8>>, host_mounts: u32) -> Option<(&'r [u8], exempt_rows::Key)> {
    if record.get(4) != Some(&abi::KIND_EXEC) || !is_of_host(record, host_mounts) {
        return None;
    }
    let length = u16_at(record, abi::EXEC_L_PATH)? as usize;
    let path = record.get(abi::EXEC_BYTES..abi::EXEC_BYTES + length)?;
    let inode = u64_at(record, abi::EXEC_INO)?;
    (inode != 0 && paths.contains(path)).then_some((path, exempt_key(u64_at(record, abi::EXEC_DEV)?, inode)))
}

impl ExemptLearner {
    pub fn new(map: MapHandle, paths: BTreeSet<Vec<u8>>, host_mounts: u32) -> Self {
        Self { map, paths, host_mounts, latest: BTreeMap::new(), added: 0 }
    }

    pub fn look(&mut self, record: &[u8]) {
        let Some((path, key)) = key_of(record, &self.paths, self.host_mounts) else { return };
        let is_there = || matches!(self.map.lookup(&key, MapFlags::ANY), Ok(Some(_)));
        if self.added == MOST_KEYS || (self.latest.get(path) == Some(&key) && is_there()) {
            return;
        }
        self.added += 1;
        if self.added == MOST_KEYS {
            say!("exempt: {MOST_KEYS} inodes were learned; further ones are only when the agent connects again");
        }
        self.latest.insert(path.to_vec(), key);
        if let Err(error) = exempt_rows::set_current(&self.map, path, &key) {
            say!("exempt: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &[u8], mounts: u32) -> Vec<u8> {
        let mut record = vec![0u8; abi::EXEC_BYTES];
        record[4] = abi::KIND_EXEC;
        record[abi::EXEC_NS + abi::NS_MNT * 4..][..4].copy_from_slice(&mounts.to_le_bytes());
        record[abi::EXEC_L_PATH..][..2].copy_from_slice(&(path.len() as u16).to_le_bytes());
        record[abi::EXEC_INO] = 7;
        record[abi::EXEC_DEV] = 8;
        record.extend_from_slice(path);
        record
    }

    #[test]
    fn only_execs_of_the_paths_by_the_hosts_root_count() {
        let paths = BTreeSet::from([b"/usr/sbin/runc".to_vec()]);
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 5), &paths, 5), Some((&b"/usr/sbin/runc"[..], exempt_key(8, 7))));
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 6), &paths, 5), None);
        assert_eq!(key_of(&record(b"/usr/sbin/other", 5), &paths, 5), None);
        let mut by_user = record(b"/usr/sbin/runc", 5);
        by_user[abi::EXEC_EUID] = 1;
        assert_eq!(key_of(&by_user, &paths, 5), None);
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 5)[..270], &paths, 5), None);
    }
}
