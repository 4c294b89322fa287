//! What files of the running kernel say: release, boot id, security modules, preemption, tracefs.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::statfs;

const TRACEFS: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
const DEBUGFS: &str = "/sys/kernel/debug";
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;
const CGROUP2_MAGIC: i64 = 0x6367_7270;

fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// `uname -r`.
pub fn release() -> String {
    line("/proc/sys/kernel/osrelease")
}

pub fn machine() -> &'static str {
    std::env::consts::ARCH
}

pub fn boot_id() -> String {
    line("/proc/sys/kernel/random/boot_id")
}

/// The boot id as 16 bytes; zeros where it cannot be read.
pub fn boot_bytes() -> [u8; 16] {
    let digits: String = boot_id().chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).unwrap_or(0).to_be_bytes()
}

/// Number of CPUs that programs may run on: those that could ever be there.
pub fn possible_cpus() -> u32 {
    libbpf_rs::num_possible_cpus().ok().and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
}

/// Active security modules, in order. securityfs may not be visible in a container; it is then mounted for the one look.
pub fn security_modules() -> String {
    let standard = line("/sys/kernel/security/lsm");
    if !standard.is_empty() {
        return standard;
    }
    with_mounted("securityfs", |folder| fs::read_to_string(folder.join("lsm"))).unwrap_or_default().trim().to_owned()
}

pub fn perf_event_paranoid() -> i32 {
    line("/proc/sys/kernel/perf_event_paranoid").parse().unwrap_or(4)
}

/// perf events on user probes.
pub fn has_uprobes() -> bool {
    Path::new("/sys/bus/event_source/devices/uprobe/type").exists()
}

/// Functions into which errors may be injected; none where the kernel was built without.
pub fn error_injectable() -> Vec<String> {
    let file = "error_injection/list";
    let text = fs::read_to_string(format!("{DEBUGFS}/{file}")).or_else(|_| with_mounted("debugfs", |folder| fs::read_to_string(folder.join(file))));
    text.unwrap_or_default().lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

pub fn is_cgroup_v1() -> bool {
    statfs("/sys/fs/cgroup").map(|found| found.filesystem_type().0 != CGROUP2_MAGIC).unwrap_or(false)
}

/// `none`, `voluntary`, `full`, `lazy` or `unknown`.
pub fn preemption() -> &'static str {
    let version = line("/proc/sys/kernel/version");
    let modes = fs::read_to_string(format!("{DEBUGFS}/sched/preempt"))
        .or_else(|_| with_mounted("debugfs", |folder| fs::read_to_string(folder.join("sched/preempt"))))
        .unwrap_or_default();
    preemption_from(&version, &modes, &line("/proc/cmdline"), &build_config())
}

/// The configuration that the kernel was built with; empty where the distribution does not put it beside the kernel.
pub fn build_config() -> String {
    fs::read_to_string(format!("/boot/config-{}", release())).unwrap_or_default()
}

/// Pure: from `uname -v`, the file sched/preempt (the chosen mode is in parentheses), the boot line and the build's configuration.
fn preemption_from(version: &str, modes: &str, boot_line: &str, config: &str) -> &'static str {
    const KNOWN: [&str; 4] = ["none", "voluntary", "full", "lazy"];
    let chosen = modes.split_whitespace().find_map(|word| word.strip_prefix('(')?.strip_suffix(')'));
    if let Some(mode) = chosen {
        return KNOWN.into_iter().find(|known| *known == mode).unwrap_or("unknown");
    }
    let words: Vec<&str> = version.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    if has("PREEMPT_RT") || has("PREEMPT") {
        return "full";
    }
    if !has("PREEMPT_DYNAMIC") {
        return if words.iter().any(|word| word.starts_with("PREEMPT")) { "unknown" } else { "voluntary" };
    }
    let by_boot = boot_line.split_whitespace().find_map(|word| word.strip_prefix("preempt="));
    if let Some(mode) = by_boot {
        return KNOWN.into_iter().find(|known| *known == mode).unwrap_or("unknown");
    }
    let built = |option: &str| config.lines().any(|line| line == format!("{option}=y"));
    match () {
        () if built("CONFIG_PREEMPT_LAZY") => "lazy",
        () if built("CONFIG_PREEMPT_VOLUNTARY") => "voluntary",
        () if built("CONFIG_PREEMPT_NONE") => "none",
        () if built("CONFIG_PREEMPT") => "full",
        () => "unknown",
    }
}

/// tracefs, where it is mounted; else a mount of our own that has no place in the tree any more and lives as long as this.
#[derive(Debug)]
pub struct Tracefs {
    path: PathBuf,
    _held: Option<File>,
}

impl Tracefs {
    /// Needs SYS_ADMIN where tracefs is not mounted: to be called at the start.
    pub fn open() -> io::Result<Self> {
        let standard = TRACEFS.iter().map(Path::new).find(|folder| folder.join("events").is_dir());
        match standard {
            Some(folder) => Ok(Self { path: folder.to_owned(), _held: None }),
            None => {
                let held = with_mounted("tracefs", |folder| File::open(folder))?;
                Ok(Self { path: format!("/proc/self/fd/{}", held.as_raw_fd()).into(), _held: Some(held) })
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A fresh folder, where one can be made: most of a container's file system is read-only.
fn mount_point(kind: &str) -> io::Result<PathBuf> {
    let name = format!("mount-{kind}-{}", std::process::id());
    // The agent may write to the last ones too, and exchange the folder before it is mounted on.
    let mut made = ["/var/lib/palisade/loader", "/run", "/tmp", "/run/palisade"].into_iter().map(|parent| Path::new(parent).join(&name));
    made.find(|folder| fs::create_dir(folder).is_ok()).ok_or_else(|| io::Error::from_raw_os_error(libc::EROFS))
}

/// Mounts a file system of the kernel on a fresh folder, looks, and takes it away again. Needs SYS_ADMIN: at the start only.
fn with_mounted<T>(kind: &str, look: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let folder = mount_point(kind)?;
    let mounted = mount(Some(kind), &folder, Some(kind), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC, None::<&str>);
    let result = match mounted {
        Ok(()) => {
            let result = look(&folder);
            let _ = umount2(&folder, MntFlags::MNT_DETACH);
            result
        }
        Err(errno) => Err(errno.into()),
    };
    let _ = fs::remove_dir(&folder);
    result
}

/// Makes sure that `folder` is a bpffs: mounts one where it is none.
pub fn ensure_bpffs(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if statfs(folder)?.filesystem_type().0 == BPF_FS_MAGIC {
        return Ok(());
    }
    mount(Some("bpf"), folder, Some("bpf"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC, Some("mode=0700")).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::preemption_from;

    #[test]
    fn the_chosen_mode_wins_over_all_guesses() {
        assert_eq!(preemption_from("#1 SMP PREEMPT_DYNAMIC", "none (voluntary) full", "preempt=full", ""), "voluntary");
        assert_eq!(preemption_from("#1 SMP PREEMPT_DYNAMIC", "full (lazy)", "", ""), "lazy");
    }

    #[test]
    fn a_kernel_without_choice_says_it_in_its_version() {
        assert_eq!(preemption_from("#1 SMP Debian 5.10.1", "", "", ""), "voluntary");
        assert_eq!(preemption_from("#1 SMP PREEMPT Debian", "", "", ""), "full");
        assert_eq!(preemption_from("#1 SMP PREEMPT_RT Debian", "", "", ""), "full");
    }

    #[test]
    fn what_cannot_be_known_is_unknown_and_never_taken_for_safe() {
        assert_eq!(preemption_from("#1 SMP PREEMPT_DYNAMIC", "", "", ""), "unknown");
        assert_eq!(preemption_from("#1 SMP PREEMPT_DYNAMIC", "", "quiet preempt=none", ""), "none");
        assert_eq!(preemption_from("#1 SMP PREEMPT_DYNAMIC", "", "", "CONFIG_PREEMPT_VOLUNTARY=y\n"), "voluntary");
    }
}
