//! A reader of the kernel's ring buffers that decides by itself when the kernel may overwrite a record: not when it was read, but when it
//! was released. What a loader had read and not released is there for the next one. (libbpf's reader gives a record back at once.)

use std::io;
use std::os::fd::AsFd as _;

use libbpf_rs::{MapCore as _, MapHandle};

use crate::ledger::Held;
use crate::sys::RingMapping;

/// Flags and header of a record in the ring (uapi/linux/bpf.h).
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
const HEADER_BYTES: u64 = 8;

/// After a record: whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    More,
    Enough,
}

/// What the word before a record says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Still being written, and what comes after it must wait.
    Busy,
    Record {
        bytes: u64,
    },
    Discarded {
        bytes: u64,
    },
}

fn place(word: u32) -> Place {
    let bytes = u64::from(word & !(BUSY | DISCARDED));
    match word {
        word if word & BUSY != 0 => Place::Busy,
        word if word & DISCARDED != 0 => Place::Discarded { bytes },
        _ => Place::Record { bytes },
    }
}

/// Header and record, padded as in the ring.
fn step(bytes: u64) -> u64 {
    (HEADER_BYTES + bytes).next_multiple_of(8)
}

pub struct Ring {
    mapping: RingMapping,
    /// Up to here it was read.
    next: u64,
}

impl Ring {
    pub fn open(map: &MapHandle) -> io::Result<Self> {
        let mapping = RingMapping::map(map.as_fd(), map.max_entries() as usize)?;
        let next = mapping.consumed();
        Ok(Self { mapping, next })
    }

    /// Reads on until `take` has enough or there is no more.
    pub fn read(&mut self, mut take: impl FnMut(&[u8]) -> Appetite) {
        let end = self.mapping.produced();
        while self.next < end {
            let (bytes, is_record) = match place(self.mapping.word(self.next)) {
                Place::Busy => return,
                Place::Record { bytes } => (bytes, true),
                Place::Discarded { bytes } => (bytes, false),
            };
            let appetite = match self.mapping.bytes(self.next + HEADER_BYTES, bytes as usize) {
                Some(record) if is_record => take(record),
                _ => Appetite::More,
            };
            self.next += step(bytes);
            if appetite == Appetite::Enough {
                return;
            }
        }
    }

    /// Reads again what was not released.
    pub fn rewind(&mut self) {
        self.next = self.mapping.consumed();
    }
}

impl Held for Ring {
    fn position(&self) -> u64 {
        self.next
    }

    fn release(&mut self, position: u64) {
        if position > self.mapping.consumed() && position <= self.next {
            self.mapping.consume(position);
        }
    }

    fn is_crowded(&self) -> bool {
        self.next.saturating_sub(self.mapping.consumed()) > self.mapping.size() as u64 / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_a_record_says_its_length_and_state() {
        assert_eq!(place(48), Place::Record { bytes: 48 });
        assert_eq!(place(48 | BUSY), Place::Busy);
        assert_eq!(place(48 | DISCARDED), Place::Discarded { bytes: 48 });
        assert_eq!((step(48), step(41), step(0)), (56, 56, 8));
    }
}
