//! The BPF objects, built into the binary.

use sha2::{Digest as _, Sha256};

/// Which build of the BPF sources a kernel gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Compare-and-swap, `bpf_loop`, task storage.
    New,
    /// None of these (5.10).
    Old,
}

impl Flavour {
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
        }
    }

    /// Dispatcher and engine of one hook.
    pub fn engine(self) -> &'static [u8] {
        match self {
            Self::New => include_bytes!(concat!(env!("OUT_DIR"), "/engine.new.bpf.o")),
            Self::Old => include_bytes!(concat!(env!("OUT_DIR"), "/engine.old.bpf.o")),
        }
    }

    /// Process table, cgroups, iterator.
    pub fn node(self) -> &'static [u8] {
        match self {
            Self::New => include_bytes!(concat!(env!("OUT_DIR"), "/node.new.bpf.o")),
            Self::Old => include_bytes!(concat!(env!("OUT_DIR"), "/node.old.bpf.o")),
        }
    }

    /// sha256 of both objects: what pinned programs of another build do not have.
    pub fn build(self) -> [u8; 32] {
        Sha256::new().chain_update(self.engine()).chain_update(self.node()).finalize().into()
    }
}
