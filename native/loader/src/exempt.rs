//! Executables that are never denied or killed outside pods: found among the running processes, and on disk where the host's files are
//! visible.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use libbpf_rs::{MapCore as _, MapHandle};

use crate::abi;
use crate::dispatch::learn_processes;
use crate::engine::Engine;
use crate::events::Command;
use crate::exempt_learner::ExemptLearner;
use crate::exempt_rows::{self, Key, OWN, Running};
use crate::object::share;
use crate::process::{self, Process, exempt_key};
use crate::result::{Outcome, Stage, at};
use crate::say::say;

/// stat's device number as the kernel keeps it in a superblock.
fn kernel_device(device: u64) -> u64 {
    let (major, minor) = (nix::sys::stat::major(device), nix::sys::stat::minor(device));
    major << 20 | minor
}

/// Where the host's files are seen from here: at `/` outside of containers, else through pid 1 if we may.
fn host_file(path: &[u8], same_mounts: bool) -> Option<Key> {
    let relative = Path::new(std::ffi::OsStr::from_bytes(path)).strip_prefix("/").ok()?;
    let root = if same_mounts { Path::new("/") } else { Path::new("/proc/1/root") };
    let found = fs::metadata(root.join(relative)).ok()?;
    found.is_file().then(|| exempt_key(kernel_device(found.dev()), found.ino()))
}

/// Adds all inodes of the paths that can be found now, and removes those that nobody needs any more. Returns how many were found.
pub fn find(engine: &mut Engine) -> Outcome<u32> {
    let processes = learn_processes(engine, None)?;
    let host = engine.host_namespaces.and_then(|namespaces| namespaces.get(abi::NS_MNT).copied());
    let mounts =
        |tgid: u32| processes.iter().find(|process| process.tgid() == tgid).and_then(|process| process.namespaces().get(abi::NS_MNT).copied());
    let same_mounts = host.is_some() && mounts(std::process::id()) == host;
    let paths = engine.exempt_paths.clone();
    let on_disk: Vec<(&[u8], Key)> = paths.iter().filter_map(|path| Some((path.as_slice(), host_file(path, same_mounts)?))).collect();
    let running = running(&processes, &paths, host);
    let map = share(engine.node()?.map("exempt")?)?;
    for (path, key) in &on_disk {
        exempt_rows::set_current(&map, path, key).map_err(at(Stage::Fill, "exempt"))?;
    }
    let found = running.listed.iter().chain(on_disk.iter().map(|(_, key)| key)).collect::<BTreeSet<_>>().len();
    remove(&map, &exempt_rows::stale(&exempt_rows::all(&map), &running, &tags(&paths)));
    if let Some(host) = host {
        engine.events.send(Command::Learn(ExemptLearner::new(map, paths.clone(), host)));
    }
    Ok(found as u32)
}

/// After a flip: what was replaced since, and is run by nobody any more, goes. Processes are looked at only when there is something to
/// remove. What fails here is said, and done at the next flip.
pub fn prune(engine: &mut Engine) {
    // No PROC yet: which paths are listed is not known.
    if engine.exempt_paths.is_empty() {
        return;
    }
    let tags = tags(&engine.exempt_paths);
    let doubtful = |map: &MapHandle| -> Vec<(Key, u32)> {
        exempt_rows::all(map).into_iter().filter(|(_, value)| *value != OWN && exempt_rows::is_doubtful(*value, &tags)).collect()
    };
    let work = |engine: &mut Engine| -> Outcome<()> {
        let map = share(engine.node()?.map("exempt")?)?;
        let rows = doubtful(&map);
        if rows.is_empty() {
            return Ok(());
        }
        let host = engine.host_namespaces.and_then(|namespaces| namespaces.get(abi::NS_MNT).copied());
        let processes = process::iterate(engine.node()?)?;
        // What is old is so for good, unless the path got that very inode back meanwhile: then it is not doubtful any more.
        let stale = exempt_rows::stale(&doubtful(&map), &running(&processes, &engine.exempt_paths, host), &tags);
        remove(&map, &stale);
        Ok(())
    };
    if let Err(failure) = work(engine) {
        say!("exempt: {failure}");
    }
}

fn tags(paths: &BTreeSet<Vec<u8>>) -> BTreeSet<u32> {
    paths.iter().map(|path| exempt_rows::tag_of(path)).collect()
}

fn running(processes: &[Process], paths: &BTreeSet<Vec<u8>>, host: Option<u32>) -> Running {
    let listed = processes.iter().filter(|process| process.is_of_host(host) && paths.contains(process.path()));
    Running { listed: listed.filter_map(Process::exempt_key).collect(), any: processes.iter().filter_map(Process::exempt_key).collect() }
}

fn remove(map: &MapHandle, keys: &[Key]) {
    for key in keys {
        // The learner does not delete; that a row is gone already is as well.
        let _ = map.delete(key);
    }
    if !keys.is_empty() {
        say!("exempt: {} inodes of replaced or unlisted executables were removed", keys.len());
    }
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
