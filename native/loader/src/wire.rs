//! Numbers of the protocol (docs/loader-protocol.md). Mirror of src/protocol/loader-frames.ts; a test compares the two.

macro_rules! numbers {
    ($(#[$doc:meta])* $vis:vis mod $module:ident: $type:ty { $($name:ident = $value:expr,)* }) => {
        $(#[$doc])*
        $vis mod $module {
            $(pub const $name: $type = $value;)*
            /// Every name with its number.
            #[cfg(test)]
            pub const ALL: &[(&str, $type)] = &[$((stringify!($name), $value),)*];
        }
    };
}

pub const FRAME_HEADER_BYTES: usize = 12;
pub const TLV_HEADER_BYTES: usize = 8;
pub const MAX_FRAME_BYTES: usize = 1 << 20;
pub const FLAG_ANSWER: u16 = 1;
pub const FLAG_MORE: u16 = 2;
pub const MAX_MESSAGE_BYTES: usize = 512;
pub const MAX_VERIFIER_BYTES: usize = 4096;

numbers! {
    /// Operations.
    pub mod op: u16 {
        HELLO = 1,
        CATALOGUE = 2,
        RESOLVE = 3,
        BEGIN = 4,
        HOOK = 5,
        DATA = 6,
        SHARE = 7,
        NODE = 8,
        COMMIT = 9,
        ABORT = 10,
        SCOPE = 11,
        PROC = 12,
        COUNTERS = 13,
        ZERO = 14,
        ROLLBACK = 15,
        TEARDOWN = 16,
        EVENTS = 17,
        ITERATE = 18,
        FAULT = 200,
    }
}

numbers! {
    /// Tags of TLVs.
    pub mod tag: u16 {
        STAGE = 1,
        ERRNO = 2,
        REASON = 3,
        MESSAGE = 4,
        VERIFIER = 5,
        ABI = 10,
        FACT = 11,
        GENERATION = 12,
        LABEL = 13,
        BOOT = 14,
        RELEASE = 15,
        KEPT_CAP = 16,
        HOST_NS = 17,
        NCPU = 18,
        ADOPTED = 19,
        NAMES_FUNCTION = 20,
        NAMES_LSM = 21,
        NAMES_TRACEPOINT = 22,
        BUILD = 23,
        QUERY = 24,
        RESOLVED = 25,
        ACTIVE_HOOK = 26,
        NEXT = 27,
        RINGS = 28,
        HOOK = 30,
        NAME = 31,
        METHOD = 32,
        CFG = 33,
        TBL = 34,
        SIZE = 35,
        USED = 36,
        REUSED = 37,
        VERIFIED = 38,
        XLATED = 39,
        LOAD_US = 40,
        DPATH = 41,
        PINNED = 42,
        MAP = 50,
        ROWS = 51,
        LAST = 52,
        FLIP_NS = 53,
        CGROUP = 60,
        CGROUP_GONE = 61,
        PODNAME = 62,
        PODNAME_GONE = 63,
        CLASS_ROW = 64,
        EXEMPT_PATH = 70,
        COUNT = 71,
        COUNTER = 72,
        HEALTH = 73,
        MISSES = 74,
        INDEX = 75,
        TEXT = 80,
        ACKNOWLEDGE = 81,
    }
}

/// Number of the node-wide binary sets in MAP.
pub const MAP_BSETS: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers between `export const NAME = {` and `} as const`.
    fn typescript_numbers(source: &str, name: &str) -> Vec<(String, u16)> {
        let (_, rest) = source.split_once(&format!("export const {name} = {{")).unwrap();
        let (body, _) = rest.split_once("} as const").unwrap();
        body.lines()
            .filter_map(|line| {
                let (key, value) = line.trim().split_once(": ")?;
                let number = value.split(',').next()?.trim().parse().ok()?;
                Some((key.to_owned(), number))
            })
            .collect()
    }

    #[test]
    fn numbers_are_those_of_the_typescript_side() {
        let source = include_str!("../../../src/protocol/loader-frames.ts");
        let own = |all: &[(&str, u16)]| -> Vec<(String, u16)> { all.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect() };
        assert_eq!(typescript_numbers(source, "LOADER_OPS"), own(op::ALL));
        assert_eq!(typescript_numbers(source, "LOADER_TAGS"), own(tag::ALL));
    }
}
