//! What a subscriber has been given and has not said that it is done with. The kernel gets a ring's room back when the subscriber has
//! acknowledged what was there, or when more than half of that ring waits for it: each ring for itself, so that a flood in one never costs
//! what waits in another.

use std::collections::VecDeque;

use crate::frame::u64_at;

/// A ring as the ledger sees it. Positions only grow.
pub trait Held {
    /// Up to where it was read.
    fn position(&self) -> u64;
    /// Gives the kernel the room up to there; nothing happens when that was done before.
    fn release(&mut self, position: u64);
    /// More than half of it waits for its release.
    fn is_crowded(&self) -> bool;
}

/// The critical and the telemetry ring.
pub const RINGS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// Bytes of the whole stream up to the end of a batch.
    end: u64,
    /// Up to where the ring was read for it.
    position: u64,
}

#[derive(Default)]
pub struct Ledger {
    /// For each ring the batches that took something from it, oldest first. Each stands for bytes that wait in the ring, which bounds them.
    waiting: [VecDeque<Mark>; RINGS],
    /// Bytes of the stream so far.
    end: u64,
    /// The part of an acknowledgement that has come.
    partial: Vec<u8>,
}

impl Ledger {
    /// A batch is the subscriber's now. Of a ring that is crowded by what waits, the oldest is given up: the kernel needs the room more,
    /// and a reader that is killed then has lost what it had in hand of that ring.
    pub fn give(&mut self, bytes: usize, rings: Option<&mut [impl Held; RINGS]>) {
        self.end += bytes as u64;
        let Some(rings) = rings else { return };
        for (waiting, ring) in self.waiting.iter_mut().zip(rings) {
            let position = ring.position();
            if waiting.back().is_none_or(|last| last.position < position) {
                waiting.push_back(Mark { end: self.end, position });
            }
            while ring.is_crowded() {
                let Some(oldest) = waiting.pop_front() else { break };
                ring.release(oldest.position);
            }
        }
    }

    /// Takes acknowledgements, u64 each: the stream's first so many bytes are done with.
    pub fn acknowledge(&mut self, bytes: &[u8], rings: Option<&mut [impl Held; RINGS]>) {
        self.partial.extend_from_slice(bytes);
        let whole = self.partial.len() / 8 * 8;
        let done = whole.checked_sub(8).and_then(|last| u64_at(&self.partial, last));
        self.partial.drain(..whole);
        let (Some(done), Some(rings)) = (done, rings) else { return };
        for (waiting, ring) in self.waiting.iter_mut().zip(rings) {
            let mut released = None;
            while waiting.front().is_some_and(|first| first.end <= done) {
                released = waiting.pop_front();
            }
            if let Some(mark) = released {
                ring.release(mark.position);
            }
        }
    }

    /// Positions of rings that are gone mean nothing any more.
    pub fn forget_rings(&mut self) {
        self.waiting.iter_mut().for_each(VecDeque::clear);
    }
}

#[cfg(test)]
mod model {
    use super::Held;

    /// A ring of positions only.
    #[derive(Default)]
    pub struct ModelRing {
        pub size: u64,
        pub read: u64,
        pub released: u64,
    }

    impl ModelRing {
        pub fn of(size: u64) -> Self {
            Self { size, ..Self::default() }
        }
    }

    impl Held for ModelRing {
        fn position(&self) -> u64 {
            self.read
        }

        fn release(&mut self, position: u64) {
            assert!(position <= self.read, "released what was never read");
            self.released = self.released.max(position);
        }

        fn is_crowded(&self) -> bool {
            self.read - self.released > self.size / 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::model::ModelRing;
    use super::*;

    struct Story {
        ledger: Ledger,
        rings: [ModelRing; RINGS],
    }

    impl Story {
        fn new() -> Self {
            Self { ledger: Ledger::default(), rings: [ModelRing::of(400), ModelRing::of(1600)] }
        }

        /// Reads so many bytes of each ring, and gives them as one batch.
        fn give(&mut self, critical: u64, telemetry: u64) {
            self.rings[0].read += critical;
            self.rings[1].read += telemetry;
            self.ledger.give((critical + telemetry) as usize, Some(&mut self.rings));
        }

        fn acknowledge(&mut self, bytes: &[u8]) {
            self.ledger.acknowledge(bytes, Some(&mut self.rings));
        }

        fn released(&self) -> [u64; RINGS] {
            [self.rings[0].released, self.rings[1].released]
        }

        fn marks(&self) -> [usize; RINGS] {
            [self.ledger.waiting[0].len(), self.ledger.waiting[1].len()]
        }
    }

    #[test]
    fn a_flood_of_telemetry_gives_up_telemetry_and_no_critical_record() {
        let mut story = Story::new();
        story.give(48, 0);
        for _ in 0..1000 {
            story.give(0, 200);
        }
        story.give(48, 200);
        assert_eq!(story.released(), [0, 200 * 1001 - 800]);
        story.acknowledge(&48u64.to_le_bytes());
        assert_eq!(story.released()[0], 48);
    }

    #[test]
    fn a_flood_of_critical_records_gives_up_their_oldest_and_no_telemetry() {
        let mut story = Story::new();
        story.give(0, 100);
        for _ in 0..10 {
            story.give(80, 0);
        }
        assert_eq!(story.released(), [640, 0]);
        story.acknowledge(&100u64.to_le_bytes());
        assert_eq!(story.released(), [640, 100]);
    }

    #[test]
    fn a_late_acknowledgement_of_what_was_given_up_takes_nothing_back() {
        let mut story = Story::new();
        for _ in 0..10 {
            story.give(0, 200);
        }
        assert_eq!(story.released(), [0, 1200]);
        story.acknowledge(&400u64.to_le_bytes());
        assert_eq!(story.released(), [0, 1200]);
        story.acknowledge(&1400u64.to_le_bytes());
        assert_eq!(story.released(), [0, 1400]);
    }

    #[test]
    fn what_is_acknowledged_is_released_by_whole_batches() {
        let mut story = Story::new();
        story.give(10, 90);
        story.give(20, 30);
        story.acknowledge(&99u64.to_le_bytes());
        assert_eq!(story.released(), [0, 0]);
        story.acknowledge(&149u64.to_le_bytes());
        assert_eq!(story.released(), [10, 90]);
        let said = 150u64.to_le_bytes();
        story.acknowledge(&said[..3]);
        assert_eq!(story.released(), [10, 90]);
        story.acknowledge(&said[3..]);
        assert_eq!((story.released(), story.marks()), ([30, 120], [0, 0]));
    }

    #[test]
    fn a_reader_that_never_acknowledges_costs_no_more_memory_than_its_rings_hold() {
        let mut story = Story::new();
        story.give(8, 0);
        for _ in 0..10_000 {
            story.give(0, 8);
            story.ledger.give(40, Some(&mut story.rings));
        }
        assert_eq!((story.marks(), story.released()[0]), ([1, 100], 0));
    }

    #[test]
    fn positions_of_rings_that_are_gone_release_nothing_of_new_ones() {
        let mut story = Story::new();
        story.give(100, 100);
        story.ledger.forget_rings();
        story.rings = [ModelRing::of(400), ModelRing::of(1600)];
        story.ledger.give(40, None::<&mut [ModelRing; RINGS]>);
        story.acknowledge(&240u64.to_le_bytes());
        assert_eq!(story.released(), [0, 0]);
        story.give(10, 0);
        story.acknowledge(&250u64.to_le_bytes());
        assert_eq!(story.released(), [10, 0]);
    }
}
