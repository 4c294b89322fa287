//! Where things are pinned, and how they are taken away: links first, then PROG_ARRAYs, then the rest. An array that goes before its link
//! would be emptied under a running dispatcher.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::result::{Outcome, Stage, io_at};
use crate::say::say;

const OURS: &str = "palisade";

/// One complete set of pins: `<bpffs>/palisade/v<number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinDirectory {
    root: PathBuf,
}

impl PinDirectory {
    /// All that are there, by number.
    pub fn existing(bpffs: &Path) -> Vec<(u32, Self)> {
        let mut found: Vec<_> = entries(&bpffs.join(OURS))
            .into_iter()
            .filter_map(|path| {
                let number = path.file_name()?.to_str()?.strip_prefix('v')?.parse().ok()?;
                Some((number, Self { root: path }))
            })
            .collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }

    pub fn at(bpffs: &Path, number: u32) -> Self {
        Self { root: bpffs.join(OURS).join(format!("v{number}")) }
    }

    pub fn create(&self) -> Outcome<()> {
        fs::create_dir_all(self.hooks()).map_err(io_at(Stage::Pin, "pin directory"))?;
        fs::create_dir_all(self.root.join("node")).map_err(io_at(Stage::Pin, "pin directory"))
    }

    pub fn node(&self, name: &str) -> PathBuf {
        self.root.join("node").join(name)
    }

    pub fn node_link(&self, program: &str) -> PathBuf {
        self.node(&format!("link_{program}"))
    }

    fn hooks(&self) -> PathBuf {
        self.root.join("hooks")
    }

    pub fn hook(&self, name: &str) -> HookPins {
        HookPins { folder: self.hooks().join(name) }
    }

    pub fn all_hooks(&self) -> Vec<HookPins> {
        entries(&self.hooks()).into_iter().map(|folder| HookPins { folder }).collect()
    }

    /// Takes everything of this directory away. Returns how many pins there were.
    pub fn remove(&self) -> u32 {
        let hooks = self.all_hooks();
        let node = entries(&self.root.join("node"));
        let is_link = |path: &&PathBuf| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("link_"));
        let mut removed = hooks.iter().map(|hook| unlink(&hook.path("link"))).sum::<u32>();
        removed += node.iter().filter(is_link).map(|path| unlink(path)).sum::<u32>();
        removed += hooks.iter().map(HookPins::remove).sum::<u32>();
        removed += entries(&self.root.join("node")).iter().map(|path| unlink(path)).sum::<u32>();
        for folder in [self.hooks(), self.root.join("node"), self.root.clone()] {
            let _ = fs::remove_dir(folder);
        }
        if let Some(parent) = self.root.parent() {
            // Only goes when no other directory is in it.
            let _ = fs::remove_dir(parent);
        }
        removed
    }
}

/// The pins of one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPins {
    folder: PathBuf,
}

impl HookPins {
    pub fn create(&self) -> Outcome<()> {
        // What a start that died left half made.
        self.remove();
        fs::create_dir_all(&self.folder).map_err(io_at(Stage::Pin, "hook directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn name(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Link, then array, then the rest. Returns how many pins there were.
    pub fn remove(&self) -> u32 {
        let removed = unlink(&self.path("link")) + unlink(&self.path("progs"));
        let rest = entries(&self.folder).iter().map(|path| unlink(path)).sum::<u32>();
        let _ = fs::remove_dir(&self.folder);
        removed + rest
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = listing.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    paths
}

fn unlink(path: &Path) -> u32 {
    match fs::remove_file(path) {
        Ok(()) => 1,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                say!("{}: cannot be removed: {error}", path.display());
            }
            0
        }
    }
}

/// True for what NAME may be.
pub fn is_hook_name(name: &str) -> bool {
    (1..=120).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("pal-pins-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn names_of_hooks_stay_inside_their_folder() {
        assert!(is_hook_name("lsm_file_open"));
        for name in ["", "..", "a/b", "A", "a.b", &"x".repeat(121)] {
            assert!(!is_hook_name(name), "{name}");
        }
    }

    #[test]
    fn a_directory_goes_completely_and_its_neighbour_stays() {
        let bpffs = folder("remove");
        let (one, two) = (PinDirectory::at(&bpffs, 1), PinDirectory::at(&bpffs, 2));
        for directory in [&one, &two] {
            directory.create().unwrap();
            directory.hook("lsm_x").create().unwrap();
            for path in
                [directory.node("active"), directory.node_link("p"), directory.hook("lsm_x").path("link"), directory.hook("lsm_x").path("progs")]
            {
                fs::write(path, "").unwrap();
            }
        }
        assert_eq!(PinDirectory::existing(&bpffs).len(), 2);
        assert_eq!(one.remove(), 4);
        assert_eq!(PinDirectory::existing(&bpffs), [(2, two.clone())]);
        assert_eq!(two.remove(), 4);
        assert!(!bpffs.join("palisade").exists());
        fs::remove_dir_all(bpffs).unwrap();
    }
}
