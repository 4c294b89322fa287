//! Executables that are never denied or killed outside pods: found among the running processes, and on disk where the host's files are
//! visible.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::abi;
use crate::dispatch::learn_processes;
use crate::engine::Engine;
use crate::events::Command;
use crate::exempt_learner::ExemptLearner;
use crate::object::share;
use crate::process::{Process, add_exempt, exempt_key};
use crate::result::Outcome;

/// stat's device number as the kernel keeps it in a superblock.
fn kernel_device(device: u64) -> u64 {
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    major << 20 | minor
}

/// Where the host's files are seen from here: at `/` outside of containers, else through pid 1 if we may.
fn host_file(path: &[u8], same_mounts: bool) -> Option<[u8; 16]> {
    let relative = Path::new(std::ffi::OsStr::from_bytes(path)).strip_prefix("/").ok()?;
    let root = if same_mounts { Path::new("/") } else { Path::new("/proc/1/root") };
    let found = fs::metadata(root.join(relative)).ok()?;
    found.is_file().then(|| exempt_key(kernel_device(found.dev()), found.ino()))
}

/// Adds all inodes of the paths that can be found now. Returns how many.
pub fn find(engine: &mut Engine) -> Outcome<u32> {
    let processes = learn_processes(engine, None)?;
    let host = engine.host_namespaces.and_then(|namespaces| namespaces.get(abi::NS_MNT).copied());
    let mounts =
        |tgid: u32| processes.iter().find(|process| process.tgid() == tgid).and_then(|process| process.namespaces().get(abi::NS_MNT).copied());
    let same_mounts = host.is_some() && mounts(std::process::id()) == host;
    let mut keys: BTreeSet<[u8; 16]> = engine.exempt_paths.iter().filter_map(|path| host_file(path, same_mounts)).collect();
    for key in &keys {
        add_exempt(engine.node()?, key)?;
    }
    let paths = &engine.exempt_paths;
    let running = processes.iter().filter(|process| process.namespaces().get(abi::NS_MNT).copied() == host && paths.contains(process.path()));
    keys.extend(running.filter_map(Process::exempt_key));
    if let Some(host) = host {
        let paths = engine.exempt_paths.clone();
        let map = share(engine.node()?.map("exempt")?)?;
        engine.events.send(Command::Learn(ExemptLearner::new(map, paths, host)));
    }
    Ok(keys.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_numbers_are_packed_as_the_kernel_does() {
        assert_eq!(kernel_device(nix::sys::stat::makedev(254, 3)), 254 << 20 | 3);
        assert_eq!(kernel_device(nix::sys::stat::makedev(0, 300)), 300);
    }
}
