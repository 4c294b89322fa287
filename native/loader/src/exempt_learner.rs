//! Learns inodes of exempt executables from exec records, for those that are never seen running (runc lives for milliseconds) and whose
//! files are out of the loader's sight.

use std::collections::BTreeSet;

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;
use crate::frame::{u16_at, u32_at, u64_at};
use crate::process::exempt_key;
use crate::say::say;

/// Inodes that one learner adds at most: an upgrade of a runtime changes a few.
const MOST_KEYS: usize = 256;

pub struct ExemptLearner {
    map: MapHandle,
    paths: BTreeSet<Vec<u8>>,
    /// Mount namespace of the host: the path means nothing in others.
    host_mounts: u32,
    known: BTreeSet<[u8; 16]>,
}

/// The key to add for a record, if it is an exec of one of the paths in the host's mount namespace.
fn key_of(record: &[u8], paths: &BTreeSet<Vec<u8>>, host_mounts: u32) -> Option<[u8; 16]> {
    if record.get(4) != Some(&abi::KIND_EXEC) || u32_at(record, abi::EXEC_NS + abi::NS_MNT * 4)? != host_mounts {
        return None;
    }
    let length = u16_at(record, abi::EXEC_L_PATH)? as usize;
    let path = record.get(abi::EXEC_BYTES..abi::EXEC_BYTES + length)?;
    let inode = u64_at(record, abi::EXEC_INO)?;
    (inode != 0 && paths.contains(path)).then_some(exempt_key(u64_at(record, abi::EXEC_DEV)?, inode))
}

impl ExemptLearner {
    pub fn new(map: MapHandle, paths: BTreeSet<Vec<u8>>, host_mounts: u32) -> Self {
        Self { map, paths, host_mounts, known: BTreeSet::new() }
    }

    pub fn look(&mut self, record: &[u8]) {
        let Some(key) = key_of(record, &self.paths, self.host_mounts) else { return };
        if self.known.len() < MOST_KEYS && self.known.insert(key) {
            if let Err(error) = self.map.update(&key, &1u32.to_le_bytes(), MapFlags::ANY) {
                say!("exempt: {error:#}");
            }
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
    fn only_execs_of_the_paths_in_the_hosts_mounts_count() {
        let paths = BTreeSet::from([b"/usr/sbin/runc".to_vec()]);
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 5), &paths, 5), Some(exempt_key(8, 7)));
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 6), &paths, 5), None);
        assert_eq!(key_of(&record(b"/usr/sbin/other", 5), &paths, 5), None);
        assert_eq!(key_of(&record(b"/usr/sbin/runc", 5)[..270], &paths, 5), None);
    }
}
