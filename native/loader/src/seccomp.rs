//! A filter that leaves AF_UNIX as the only family of sockets, and takes exec and io_uring (which could make sockets of its own) away.

use std::io;

use crate::sys;

const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_GREATER_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT_LOW: u32 = 16;

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;

/// System calls with this bit belong to the x32 interface and would pass by number.
const X32_BIT: u32 = 0x4000_0000;

const fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

const fn jump(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

fn filter() -> Vec<libc::sock_filter> {
    let refuse = statement(RETURN, libc::SECCOMP_RET_ERRNO | libc::EACCES as u32);
    let allow = statement(RETURN, libc::SECCOMP_RET_ALLOW);
    let mut program = vec![
        statement(LOAD_WORD, ARCHITECTURE),
        jump(JUMP_EQUAL, AUDIT_ARCH, 1, 0),
        statement(RETURN, libc::SECCOMP_RET_KILL_PROCESS),
        statement(LOAD_WORD, NUMBER),
        jump(JUMP_GREATER_EQUAL, X32_BIT, 0, 1),
        refuse,
    ];
    for number in [libc::SYS_execve, libc::SYS_execveat, libc::SYS_io_uring_setup] {
        program.push(jump(JUMP_EQUAL, number as u32, 0, 1));
        program.push(refuse);
    }
    program.extend([
        jump(JUMP_EQUAL, libc::SYS_socket as u32, 1, 0),
        jump(JUMP_EQUAL, libc::SYS_socketpair as u32, 0, 3),
        statement(LOAD_WORD, FIRST_ARGUMENT_LOW),
        jump(JUMP_EQUAL, libc::AF_UNIX as u32, 1, 0),
        refuse,
        allow,
    ]);
    program
}

/// Needs no_new_privs. Holds for this thread and all that it starts.
pub fn confine() -> io::Result<()> {
    sys::install_seccomp(&filter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

    #[test]
    fn after_confinement_only_unix_sockets_can_be_made() {
        std::thread::spawn(|| {
            sys::set_no_new_privileges().unwrap();
            confine().unwrap();
            let make = |family| socket(family, SockType::Stream, SockFlag::empty(), None);
            assert!(make(AddressFamily::Unix).is_ok());
            for family in [AddressFamily::Inet, AddressFamily::Inet6, AddressFamily::Netlink, AddressFamily::Packet] {
                assert_eq!(make(family).unwrap_err(), nix::errno::Errno::EACCES);
            }
            assert!(std::fs::read("/proc/self/status").is_ok());
        })
        .join()
        .unwrap();
    }
}
