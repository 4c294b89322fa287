//! Sizes and offsets of native/abi/palisade.h that the loader touches. A test reads the header and compares.

/// FNV-1a 64 of the header's bytes; agent and loader of different builds refuse each other.
pub const ABI_HASH: u64 = include!(concat!(env!("OUT_DIR"), "/abi_hash.rs"));
pub const ABI_VERSION: u32 = 1;
pub const LAYOUT_VERSION: u32 = 1;

pub const SELECTORS: usize = 256;
pub const SLOTS: usize = 32;
pub const CLASSES: u32 = 2048;
pub const COUNTERS: u32 = 4096;
pub const COUNTER_WORDS: usize = 12;
pub const HEALTH_WORDS: usize = 16;
pub const PODNAME_BYTES: usize = 80;

pub const CFG_BYTES: usize = 2368;
pub const CFG_HOOK: usize = 4;
pub const CFG_BANK: usize = 8;
pub const CFG_NCOL: usize = 44;
pub const CFG_KFLAGS: usize = 52;
pub const CFG_SLOT: usize = 576;
pub const SLOT_BYTES: usize = 56;
pub const SLOT_FLAGS: usize = 5;
pub const SF_DPATH: u8 = 1 << 2;
pub const KF_TASK_STORAGE: u32 = 1 << 0;
pub const KF_CGROUP_V1: u32 = 1 << 1;

pub const TBL_BYTES: usize = 24064;
pub const TBL_ALL: usize = 0;
pub const TBL_SEL: usize = 7680;
pub const SEL_BYTES: usize = 24;
pub const SEL_CNT: usize = 12;

pub const INT_KEY_BYTES: u32 = 16;
pub const STR_KEY_BYTES: u32 = 260;
pub const STR_BYTES: u32 = 72;
pub const MASK_BYTES: u32 = 32;
pub const CGROUP_BYTES: usize = 16;
pub const CGROUP_FLAGS: usize = 4;
pub const CG_SELF: u32 = 1 << 2;

pub const META_BYTES: usize = 128;
pub const META_BUILD: usize = 8;
pub const META_BOOT: usize = 40;
pub const META_PENDING: usize = 56;
pub const META_SPENT: usize = 60;
pub const META_LABEL: usize = 64;
pub const META_PENDING_LABEL: usize = 96;

pub const HDR_BYTES: usize = 32;
pub const RECORD_MAX: usize = 32768;
pub const KIND_EXEC: u8 = 1;
pub const KIND_LOSS: u8 = 6;
pub const LOSS_BYTES: usize = 48;
pub const KIND_ALARM: u8 = 7;
pub const ALARM_BYTES: usize = 56;
pub const ALARM_SKIPPED: u32 = 64;
pub const TASK_CGID: usize = 32 + 32;
pub const KEY_TGID: usize = 32 + 8;
pub const EXEC_BYTES: usize = 288;
pub const EXEC_EUID: usize = 112 + 8;
pub const EXEC_NS_LEVEL: usize = 112 + 64;
pub const EXEC_NS: usize = 192;
pub const EXEC_INO: usize = 232;
pub const EXEC_DEV: usize = 240;
pub const EXEC_FLAGS: usize = 260;
pub const EXEC_L_PATH: usize = 264;
pub const EXEC_L_CWD: usize = 266;
pub const EXEC_L_ARGS: usize = 268;
pub const EXEC_ARGC: usize = 276;
pub const EF_TRUNC_ARGS: u32 = 1 << 1;
pub const EF_ERROR_ARGS: u32 = 1 << 2;
pub const EF_ERROR_CWD: u32 = 1 << 5;
pub const EF_ROOT_CWD: u32 = 1 << 6;
pub const NS_COUNT: usize = 10;
pub const NS_MNT: usize = 2;

pub const H_EMPTY_SLOT: usize = 0;
pub const H_NO_SCRATCH: usize = 1;
pub const H_NO_TABLE: usize = 2;
pub const H_STORAGE_FAILED: usize = 5;
pub const H_CRIT_LOST: usize = 6;
pub const H_TELE_LOST: usize = 7;
pub const H_CGROUP_FULL: usize = 10;
pub const H_LATE_UNMARKED: usize = 12;
pub const H_KILL_FAILED: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = include_str!("../../abi/palisade.h");

    #[test]
    fn sizes_are_those_that_the_header_asserts() {
        for (name, size) in [
            ("pal_slot", SLOT_BYTES),
            ("pal_cfg", CFG_BYTES),
            ("pal_sel", SEL_BYTES),
            ("pal_tbl", TBL_BYTES),
            ("pal_str_key", STR_KEY_BYTES as usize),
            ("pal_str", STR_BYTES as usize),
            ("pal_exec", EXEC_BYTES),
            ("pal_loss", LOSS_BYTES),
            ("pal_alarm", ALARM_BYTES),
            ("pal_meta", META_BYTES),
        ] {
            assert!(HEADER.contains(&format!("PAL_ASSERT(sizeof(struct {name}) == {size});")), "{name} {size}");
        }
    }

    #[test]
    fn constants_are_those_of_the_header() {
        for line in [
            format!("#define PAL_ABI_VERSION {ABI_VERSION}\n"),
            format!("#define PAL_LAYOUT_VERSION {LAYOUT_VERSION} "),
            format!("#define PAL_SELECTORS {SELECTORS} "),
            format!("#define PAL_SLOTS {SLOTS}\n"),
            format!("#define PAL_CLASSES {CLASSES} "),
            format!("#define PAL_COUNTERS {COUNTERS} "),
            format!("#define PAL_PODNAME_MAX {PODNAME_BYTES}\n"),
            "#define PAL_SF_DPATH (1 << 2)\t".to_owned(),
            format!("#define PAL_ALARM_SKIPPED {ALARM_SKIPPED} "),
        ] {
            let squeezed = HEADER.replace('\t', " ");
            assert!(squeezed.contains(&line.replace('\t', " ")), "{line:?}");
        }
    }

    #[test]
    fn health_counters_have_the_numbers_of_the_header() {
        let (_, rest) = HEADER.split_once("enum pal_health_counter {").unwrap();
        let (body, _) = rest.split_once("PAL_H_COUNT").unwrap();
        let words = body.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
        let names: Vec<&str> = words.filter(|word| word.starts_with("PAL_H_")).collect();
        for (name, number) in [
            ("PAL_H_EMPTY_SLOT", H_EMPTY_SLOT),
            ("PAL_H_NO_SCRATCH", H_NO_SCRATCH),
            ("PAL_H_NO_TABLE", H_NO_TABLE),
            ("PAL_H_STORAGE_FAILED", H_STORAGE_FAILED),
            ("PAL_H_CRIT_LOST", H_CRIT_LOST),
            ("PAL_H_TELE_LOST", H_TELE_LOST),
            ("PAL_H_CGROUP_FULL", H_CGROUP_FULL),
            ("PAL_H_LATE_UNMARKED", H_LATE_UNMARKED),
            ("PAL_H_KILL_FAILED", H_KILL_FAILED),
        ] {
            assert_eq!(names.get(number), Some(&name));
        }
    }

    #[test]
    fn the_hash_is_that_of_the_header() {
        let hash = HEADER.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        assert_eq!(hash, ABI_HASH);
    }
}
