//! The one unsafe module: system calls for which neither std, nix nor libbpf-rs has a safe form. Every block says why it is sound.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

fn check(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The word `active`, mapped from its BPF map: the only place where a generation changes.
pub struct ActiveWord {
    word: NonNull<AtomicU32>,
}

// SAFETY: the mapping is only read and written by atomic operations.
unsafe impl Send for ActiveWord {}

impl ActiveWord {
    const LENGTH: usize = 4096;

    /// `map` is a BPF_MAP_TYPE_ARRAY with BPF_F_MMAPABLE and a value of at least 4 bytes.
    pub fn map(map: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice; it aliases no memory of ours. The kernel checks that the fd is
        // a mappable array and that the page lies within it.
        let address =
            unsafe { libc::mmap(std::ptr::null_mut(), Self::LENGTH, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, map.as_raw_fd(), 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        NonNull::new(address.cast::<AtomicU32>()).map(|word| Self { word }).ok_or_else(|| io::Error::from_raw_os_error(libc::EFAULT))
    }

    pub fn load(&self) -> u32 {
        // SAFETY: the page stays mapped as long as self lives, is aligned, and AtomicU32 allows writers elsewhere.
        unsafe { self.word.as_ref() }.load(Ordering::SeqCst)
    }

    pub fn store(&self, generation: u32) {
        // SAFETY: as in load.
        unsafe { self.word.as_ref() }.store(generation, Ordering::SeqCst);
    }
}

impl Drop for ActiveWord {
    fn drop(&mut self) {
        // SAFETY: address and length are those of the mapping made in map, and no reference to it outlives self.
        unsafe { libc::munmap(self.word.as_ptr().cast::<c_void>(), Self::LENGTH) };
    }
}

/// A BPF ring buffer, mapped: the consumer's position to be written, and the producer's position and the records to be read. The kernel maps
/// the records twice in a row, so that each of them is in one piece.
pub struct RingMapping {
    consumer: NonNull<AtomicU64>,
    producer: NonNull<AtomicU64>,
    records: NonNull<u8>,
    size: usize,
    page: usize,
}

// SAFETY: positions are atomics, and records are read only where the kernel does not write any more.
unsafe impl Send for RingMapping {}

impl RingMapping {
    /// `map` is a BPF_MAP_TYPE_RINGBUF of `size` bytes, a power of two of whole pages.
    pub fn map(map: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        // SAFETY: takes an integer only.
        let page = usize::try_from(check(unsafe { libc::sysconf(libc::_SC_PAGESIZE) })?).unwrap_or(4096);
        let map_pages = |length: usize, protection: i32, offset: usize| {
            // SAFETY: a fresh mapping at an address of the kernel's choice; it aliases no memory of ours. The kernel checks type and size.
            let address = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, libc::MAP_SHARED, map.as_raw_fd(), offset as libc::off_t) };
            if address == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            NonNull::new(address.cast::<u8>()).ok_or_else(|| io::Error::from_raw_os_error(libc::EFAULT))
        };
        let consumer = map_pages(page, libc::PROT_READ | libc::PROT_WRITE, 0)?;
        let producer = match map_pages(page + 2 * size, libc::PROT_READ, page) {
            Ok(producer) => producer,
            Err(error) => {
                // SAFETY: the mapping made above, which nobody else knows.
                unsafe { libc::munmap(consumer.as_ptr().cast::<c_void>(), page) };
                return Err(error);
            }
        };
        // SAFETY: the second mapping has a page before the records.
        let records = unsafe { producer.add(page) };
        Ok(Self { consumer: consumer.cast::<AtomicU64>(), producer: producer.cast::<AtomicU64>(), records, size, page })
    }

    pub fn size(&self) -> usize {
        self.size
    }

    pub fn consumed(&self) -> u64 {
        // SAFETY: the page stays mapped as long as self lives and is aligned.
        unsafe { self.consumer.as_ref() }.load(Ordering::Acquire)
    }

    /// The kernel may overwrite everything before `position`.
    pub fn consume(&mut self, position: u64) {
        // SAFETY: as in consumed. `&mut self`: no slice of a record is alive.
        unsafe { self.consumer.as_ref() }.store(position, Ordering::Release);
    }

    pub fn produced(&self) -> u64 {
        // SAFETY: as in consumed; the page is only read.
        unsafe { self.producer.as_ref() }.load(Ordering::Acquire)
    }

    fn offset(&self, position: u64) -> usize {
        (position as usize) & (self.size - 1)
    }

    /// The word before a record.
    pub fn word(&self, position: u64) -> u32 {
        let at = self.offset(position) & !7;
        // SAFETY: at is below size and a multiple of 8, the mapping is 2 * size long, and the kernel writes this word atomically.
        unsafe { self.records.add(at).cast::<AtomicU32>().as_ref() }.load(Ordering::Acquire)
    }

    /// A record that is complete and was not consumed. None: longer than the ring.
    pub fn bytes(&self, position: u64, length: usize) -> Option<&[u8]> {
        if length > self.size {
            return None;
        }
        // SAFETY: starts below size and ends below 2 * size, within the mapping. Between its commit, which `word` has seen, and its
        // consumption, which takes `&mut self`, the kernel does not write there.
        Some(unsafe { std::slice::from_raw_parts(self.records.add(self.offset(position)).as_ptr(), length) })
    }
}

impl Drop for RingMapping {
    fn drop(&mut self) {
        // SAFETY: addresses and lengths are those of the mappings made in map, and no reference to them outlives self.
        unsafe {
            libc::munmap(self.consumer.as_ptr().cast::<c_void>(), self.page);
            libc::munmap(self.producer.as_ptr().cast::<c_void>(), self.page + 2 * self.size);
        }
    }
}

/// Waits for one RCU period on all CPUs: after it no program runs that read the old generation.
pub fn wait_for_grace() -> io::Result<()> {
    const MEMBARRIER_CMD_GLOBAL: i32 = 1;
    // SAFETY: takes integers only.
    check(unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) }).map(|_| ())
}

/// Nanoseconds of CLOCK_BOOTTIME, the clock of all records.
pub fn boottime_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local that lives through the call.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
}

#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapWords {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// The permitted capabilities of this thread, bit n = capability n.
pub fn permitted_capabilities() -> io::Result<u64> {
    let mut header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let mut words = [CapWords::default(); 2];
    // SAFETY: version 3 reads one header and writes exactly two words, which is what the pointers are to.
    check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) })?;
    Ok(u64::from(words[0].permitted) | u64::from(words[1].permitted) << 32)
}

/// Sets permitted and effective capabilities of this thread, and clears the inheritable ones.
pub fn set_capabilities(permitted: u64, effective: u64) -> io::Result<()> {
    let mut header = CapHeader { version: CAPABILITY_VERSION_3, pid: 0 };
    let word = |shift: u32| CapWords { effective: (effective >> shift) as u32, permitted: (permitted >> shift) as u32, inheritable: 0 };
    let words = [word(0), word(32)];
    // SAFETY: version 3 reads one header and two words, which is what the pointers are to.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, words.as_ptr()) }).map(|_| ())
}

/// Takes a capability out of the bounding set, so that no exec can bring it back.
pub fn drop_bounding_capability(number: u32) -> io::Result<()> {
    // SAFETY: takes integers only.
    check(i64::from(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, u64::from(number), 0, 0, 0) })).map(|_| ())
}

pub fn set_no_new_privileges() -> io::Result<()> {
    // SAFETY: takes integers only.
    check(i64::from(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1u64, 0u64, 0u64, 0u64) })).map(|_| ())
}

/// Installs a handler for signals. The handler may touch atomics and call what POSIX calls async-signal-safe, nothing else.
pub fn on_signals(signals: &[i32], handler: extern "C" fn(i32)) -> io::Result<()> {
    for signal in signals {
        // SAFETY: sigaction is plain data for which all zeroes is a valid value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        // SAFETY: action lives through the call and holds a function that lives for ever; no old action is asked for.
        check(i64::from(unsafe { libc::sigaction(*signal, &raw const action, std::ptr::null_mut()) }))?;
    }
    Ok(())
}

/// Makes the allocator give large blocks back at once: parsing the kernel's BTF takes tens of megabytes for a moment, and the loader
/// lives for months.
#[cfg(target_env = "gnu")]
pub fn return_large_blocks() {
    const THRESHOLD_BYTES: i32 = 64 << 10;
    // SAFETY: sets two parameters of the allocator; takes integers only.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, THRESHOLD_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, THRESHOLD_BYTES);
    }
}

#[cfg(not(target_env = "gnu"))]
pub fn return_large_blocks() {}

/// Installs a classic BPF filter for this thread and all that it starts.
pub fn install_seccomp(filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies `len` instructions from the slice during the call and writes nothing.
    check(unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0u32, &raw const program) }).map(|_| ())
}

/// One instruction of a probe program: code, registers (dst | src << 4), offset, immediate.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Instruction {
    pub code: u8,
    pub registers: u8,
    pub offset: i16,
    pub immediate: i32,
}

/// Loads a tiny program to find out what this kernel allows. `attach_btf_id` 0: none.
pub fn load_probe(program_type: u32, attach_type: u32, attach_btf_id: u32, instructions: &[Instruction]) -> io::Result<OwnedFd> {
    let mut options = libbpf_rs::libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_prog_load_opts>() as libbpf_rs::libbpf_sys::size_t,
        expected_attach_type: attach_type,
        attach_btf_id,
        ..Default::default()
    };
    // SAFETY: name and licence are NUL-terminated literals; instructions has the layout of struct bpf_insn and its length is passed;
    // libbpf reads all of them during the call only.
    let fd = unsafe {
        libbpf_rs::libbpf_sys::bpf_prog_load(
            program_type,
            c"pal_probe".as_ptr(),
            c"GPL".as_ptr(),
            instructions.as_ptr().cast(),
            instructions.len() as libbpf_rs::libbpf_sys::size_t,
            &raw mut options,
        )
    };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a non-negative result is a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Tries to attach a program to one place of the root folder by one link for many user probes, and returns why that failed. A folder is
/// never a program, so nothing is ever attached: EBADF says that the kernel knows such links, EINVAL that it does not.
pub fn try_uprobe_multi(program: BorrowedFd<'_>) -> i32 {
    let offset: std::os::raw::c_ulong = 0;
    let mut options = libbpf_rs::libbpf_sys::bpf_link_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_link_create_opts>() as libbpf_rs::libbpf_sys::size_t,
        ..Default::default()
    };
    options.__bindgen_anon_1.uprobe_multi = libbpf_rs::libbpf_sys::bpf_link_create_opts__bindgen_ty_1__bindgen_ty_3 {
        path: c"/".as_ptr(),
        offsets: &raw const offset,
        cnt: 1,
        ..Default::default()
    };
    // SAFETY: the path is a NUL-terminated literal and offset lives until the call ends; libbpf and the kernel read them during the call only.
    let link =
        unsafe { libbpf_rs::libbpf_sys::bpf_link_create(program.as_raw_fd(), -1, libbpf_rs::libbpf_sys::BPF_TRACE_UPROBE_MULTI, &raw const options) };
    if link < 0 {
        return -link;
    }
    // SAFETY: a non-negative result is a new descriptor that nobody else owns.
    drop(unsafe { OwnedFd::from_raw_fd(link) });
    0
}

/// What BPF_OBJ_GET_INFO_BY_FD says about a program; 0 where the kernel does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgramFacts {
    pub xlated_bytes: u32,
    pub verified_instructions: u32,
    /// Calls that were skipped because the program was already running on that CPU.
    pub recursion_misses: u64,
}

pub fn program_facts(program: BorrowedFd<'_>) -> io::Result<ProgramFacts> {
    let mut info = libbpf_rs::libbpf_sys::bpf_prog_info::default();
    let mut length = size_of::<libbpf_rs::libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: info is zeroed plain data whose size is passed; the kernel writes at most that much. All pointer fields are 0, so it
    // writes nowhere else.
    let result = unsafe { libbpf_rs::libbpf_sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &raw mut info, &raw mut length) };
    if result < 0 {
        return Err(io::Error::from_raw_os_error(-result));
    }
    Ok(ProgramFacts { xlated_bytes: info.xlated_prog_len, verified_instructions: info.verified_insns, recursion_misses: info.recursion_misses })
}
