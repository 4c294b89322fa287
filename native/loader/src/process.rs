//! Processes that are there already: read from the task iterator, completed from /proc, and the exemptions that follow from them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use libbpf_rs::{Iter, Link, MapCore as _, MapFlags};

use crate::abi;
use crate::exempt_rows;
use crate::frame::{u16_at, u32_at, u64_at};
use crate::node::Node;
use crate::result::{Outcome, Stage, at, io_at};
use crate::sys;

/// One exec record as the iterator writes it: the head and the padded path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    record: Vec<u8>,
}

/// Bytes of arguments that a record carries, as those of the exec program.
const MOST_ARGUMENT_BYTES: usize = 8192;
const MOST_CWD_BYTES: usize = 4095;

fn padded(length: usize) -> usize {
    length.next_multiple_of(8)
}

impl Process {
    pub fn tgid(&self) -> u32 {
        u32_at(&self.record, abi::KEY_TGID).unwrap_or(0)
    }

    pub fn cgroup(&self) -> u64 {
        u64_at(&self.record, abi::TASK_CGID).unwrap_or(0)
    }

    pub fn namespaces(&self) -> [u32; abi::NS_COUNT] {
        std::array::from_fn(|index| u32_at(&self.record, abi::EXEC_NS + index * 4).unwrap_or(0))
    }

    /// What it runs is what the host has under that path.
    pub fn is_of_host(&self, host_mounts: Option<u32>) -> bool {
        host_mounts.is_some_and(|mounts| is_of_host(&self.record, mounts))
    }

    /// dev and ino: a row of `exempt`.
    pub fn exempt_key(&self) -> Option<[u8; 16]> {
        let (inode, device) = (u64_at(&self.record, abi::EXEC_INO)?, u64_at(&self.record, abi::EXEC_DEV)?);
        (inode != 0).then(|| exempt_key(device, inode))
    }

    pub fn path(&self) -> &[u8] {
        let length = u16_at(&self.record, abi::EXEC_L_PATH).unwrap_or(0) as usize;
        self.record.get(abi::EXEC_BYTES..abi::EXEC_BYTES + length).unwrap_or_default()
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        if let Some(place) = self.record.get_mut(offset..offset + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.record.extend_from_slice(bytes);
        self.record.resize(padded(self.record.len()), 0);
    }

    /// Adds what only /proc has: working directory and arguments. What cannot be read is marked as such.
    fn complete(mut self, cwd: Option<&[u8]>, arguments: Option<&[u8]>) -> Vec<u8> {
        let mut flags = u32_at(&self.record, abi::EXEC_FLAGS).unwrap_or(0);
        match cwd {
            Some(cwd) => {
                let cwd = cwd.get(..cwd.len().min(MOST_CWD_BYTES)).unwrap_or_default();
                flags |= if cwd == b"/" { abi::EF_ROOT_CWD } else { 0 };
                self.put(abi::EXEC_L_CWD, &(cwd.len() as u16).to_le_bytes());
                self.append(cwd);
            }
            None => flags |= abi::EF_ERROR_CWD,
        }
        match arguments {
            Some(arguments) => {
                flags |= if arguments.len() > MOST_ARGUMENT_BYTES { abi::EF_TRUNC_ARGS } else { 0 };
                let arguments = arguments.get(..arguments.len().min(MOST_ARGUMENT_BYTES)).unwrap_or_default();
                let count = arguments.iter().filter(|byte| **byte == 0).count() as u32;
                self.put(abi::EXEC_L_ARGS, &(arguments.len() as u32).to_le_bytes());
                self.put(abi::EXEC_ARGC, &count.to_le_bytes());
                self.append(arguments);
            }
            None => flags |= abi::EF_ERROR_ARGS,
        }
        self.put(abi::EXEC_FLAGS, &flags.to_le_bytes());
        let length = self.record.len() as u32;
        self.put(0, &length.to_le_bytes());
        self.put(16, &sys::boottime_ns().to_le_bytes());
        self.record
    }

    /// The whole record, for the events connection.
    pub fn into_record(self) -> Vec<u8> {
        let folder = format!("/proc/{}", self.tgid());
        let cwd = fs::read_link(format!("{folder}/cwd")).ok();
        let arguments = File::open(format!("{folder}/cmdline")).and_then(first_arguments).ok();
        self.complete(cwd.as_ref().map(|path| path.as_os_str().as_bytes()), arguments.as_deref())
    }
}

/// As many bytes as a record carries, and one more that tells of the rest. A process may say of any part of its memory that its arguments
/// are there: the file may be as long as that.
fn first_arguments(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST_ARGUMENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the program of an exec record was started by root in the host's mounts and user namespace: of others the path says nothing. Who
/// has a user namespace of his own may change his root, and call anything in it /usr/bin/kubelet.
pub fn is_of_host(record: &[u8], host_mounts: u32) -> bool {
    let word = |offset| u32_at(record, offset);
    word(abi::EXEC_NS + abi::NS_MNT * 4) == Some(host_mounts) && word(abi::EXEC_EUID) == Some(0) && word(abi::EXEC_NS_LEVEL) == Some(0)
}

pub fn exempt_key(device: u64, inode: u64) -> [u8; 16] {
    let mut key = [0u8; 16];
    let (front, back) = key.split_at_mut(8);
    front.copy_from_slice(&device.to_le_bytes());
    back.copy_from_slice(&inode.to_le_bytes());
    key
}

/// Cuts the iterator's output into records; a length that lies ends the reading.
fn split(bytes: &[u8]) -> Vec<Process> {
    let mut processes = Vec::new();
    let mut rest = bytes;
    while let Some(length) = u32_at(rest, 0).map(|length| length as usize) {
        if length < abi::EXEC_BYTES || length % 8 != 0 {
            break;
        }
        let Some(record) = rest.get(..length) else { break };
        processes.push(Process { record: record.to_vec() });
        rest = rest.get(length..).unwrap_or_default();
    }
    processes
}

/// Runs the iterator: the kernel fills its process table, and we get a record of every process.
pub fn iterate(node: &Node) -> Outcome<Vec<Process>> {
    let link = Link::open(node.directory.node_link("iter_task")).map_err(at(Stage::Open, "iter_task"))?;
    let mut bytes = Vec::new();
    let mut iterator = Iter::new(&link).map_err(at(Stage::Open, "iter_task"))?;
    iterator.read_to_end(&mut bytes).map_err(io_at(Stage::Open, "iter_task"))?;
    Ok(split(&bytes))
}

/// Marks the cgroup of a process as part of the loader's own pod, whatever else is known about it.
pub fn mark_own_cgroup(node: &Node, cgroup: u64) -> Outcome<()> {
    let map = node.map("cgrp")?;
    let key = cgroup.to_le_bytes();
    let mut value = map.lookup(&key, MapFlags::ANY).map_err(at(Stage::Fill, "cgrp"))?.unwrap_or_else(|| vec![0; abi::CGROUP_BYTES]);
    set_own_flag(&mut value);
    map.update(&key, &value, MapFlags::ANY).map_err(at(Stage::Fill, "cgrp"))
}

pub fn set_own_flag(value: &mut [u8]) {
    let flags = u32_at(value, abi::CGROUP_FLAGS).unwrap_or(0) | abi::CG_SELF;
    if let Some(place) = value.get_mut(abi::CGROUP_FLAGS..abi::CGROUP_FLAGS + 4) {
        place.copy_from_slice(&flags.to_le_bytes());
    }
}

/// `value`: of `exempt_rows`.
pub fn add_exempt(node: &Node, key: &[u8; 16], value: u32) -> Outcome<()> {
    exempt_rows::add(node.map("exempt")?, key, value).map_err(at(Stage::Fill, "exempt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &[u8]) -> Vec<u8> {
        let mut record = vec![0u8; abi::EXEC_BYTES];
        record.extend_from_slice(path);
        record.resize(padded(record.len()), 0);
        let length = record.len() as u32;
        record[..4].copy_from_slice(&length.to_le_bytes());
        record[abi::EXEC_L_PATH..abi::EXEC_L_PATH + 2].copy_from_slice(&(path.len() as u16).to_le_bytes());
        record[abi::KEY_TGID..abi::KEY_TGID + 4].copy_from_slice(&77u32.to_le_bytes());
        record[abi::EXEC_INO] = 5;
        record[abi::EXEC_DEV] = 9;
        record
    }

    #[test]
    fn the_iterators_output_becomes_processes() {
        let processes = split(&[record(b"/sbin/init"), record(b"/bin/sh")].concat());
        assert_eq!(processes.iter().map(Process::path).collect::<Vec<_>>(), [b"/sbin/init".as_slice(), b"/bin/sh"]);
        assert_eq!(processes[0].tgid(), 77);
        assert_eq!(processes[0].exempt_key(), Some(exempt_key(9, 5)));
    }

    #[test]
    fn output_that_makes_no_sense_ends_the_reading() {
        assert!(split(&[0; 64]).is_empty());
        assert!(split(&record(b"/x")[..200]).is_empty());
        let mut second = record(b"/x");
        second[0] = 0xff;
        second[1] = 0xff;
        assert_eq!(split(&[record(b"/y"), second].concat()).len(), 1);
    }

    #[test]
    fn a_record_is_completed_with_what_proc_says() {
        let process = split(&record(b"/bin/cat")).remove(0);
        let bytes = process.complete(Some(b"/"), Some(b"cat\0/etc/hosts\0"));
        assert_eq!(u32_at(&bytes, 0), Some(bytes.len() as u32));
        assert_eq!((u16_at(&bytes, abi::EXEC_L_CWD), u32_at(&bytes, abi::EXEC_L_ARGS), u32_at(&bytes, abi::EXEC_ARGC)), (Some(1), Some(15), Some(2)));
        assert_eq!(u32_at(&bytes, abi::EXEC_FLAGS), Some(abi::EF_ROOT_CWD));
        assert_eq!(&bytes[abi::EXEC_BYTES + 16..abi::EXEC_BYTES + 31], b"cat\0/etc/hosts\0");
    }

    #[test]
    fn of_arguments_without_end_only_what_a_record_carries_is_read() {
        let arguments = first_arguments(io::repeat(b'x')).unwrap();
        assert_eq!(arguments.len(), MOST_ARGUMENT_BYTES + 1);
        let bytes = split(&record(b"/bin/cat")).remove(0).complete(None, Some(&arguments));
        assert_eq!(u32_at(&bytes, abi::EXEC_L_ARGS), Some(MOST_ARGUMENT_BYTES as u32));
        assert_eq!(u32_at(&bytes, abi::EXEC_FLAGS), Some(abi::EF_ERROR_CWD | abi::EF_TRUNC_ARGS));
    }

    #[test]
    fn only_what_root_of_the_host_runs_is_of_the_host() {
        let of = |mounts: u32, euid: u32, level: u32| {
            let mut bytes = record(b"/usr/bin/kubelet");
            for (offset, word) in [(abi::EXEC_NS + abi::NS_MNT * 4, mounts), (abi::EXEC_EUID, euid), (abi::EXEC_NS_LEVEL, level)] {
                bytes[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
            }
            split(&bytes).remove(0).is_of_host(Some(7))
        };
        assert!(of(7, 0, 0));
        assert!(!of(8, 0, 0), "a container");
        assert!(!of(7, 1000, 0), "a user");
        assert!(!of(7, 0, 1), "a user who is root in a namespace of his own");
    }

    #[test]
    fn what_proc_hides_is_marked() {
        let process = split(&record(b"/bin/cat")).remove(0);
        let bytes = process.complete(None, None);
        assert_eq!(u32_at(&bytes, abi::EXEC_FLAGS), Some(abi::EF_ERROR_CWD | abi::EF_ERROR_ARGS));
    }

    #[test]
    fn the_own_flag_leaves_class_and_pod_alone() {
        let mut value = [3u8, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0];
        set_own_flag(&mut value);
        assert_eq!(value, [3u8, 0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0]);
    }
}
