//! Bytes on their way to the subscriber: whole records, one after another.

use crate::abi;
use crate::exempt_learner::ExemptLearner;
use crate::frame::u32_at;
use crate::ring::Appetite;

/// Bytes of one write, at most: a batch ends with the record that reaches it.
const BATCH_BYTES: usize = (256 << 10) - abi::RECORD_MAX;

/// Bytes on their way to the subscriber.
#[derive(Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub sent: usize,
    /// From the rings, where they stay until they are released: a new reader gets them from there.
    pub from_rings: bool,
    /// Records whose length field lies: they would put the reader out of step.
    pub malformed: u64,
    pub learner: Option<ExemptLearner>,
}

impl Batch {
    /// With room for the largest batch, so that it never grows.
    pub fn with_room() -> Self {
        Self { bytes: Vec::with_capacity(BATCH_BYTES + abi::RECORD_MAX), ..Self::default() }
    }

    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.from_rings = false;
    }

    /// For a new reader: begins again with the record that the last one got a part of.
    pub fn rewind(&mut self) {
        if self.from_rings {
            self.clear();
            return;
        }
        let mut start = 0;
        while let Some(length) = u32_at(&self.bytes, start).map(|length| length as usize) {
            if length == 0 || start + length > self.sent {
                break;
            }
            start += length;
        }
        self.bytes.drain(..start);
        self.sent = 0;
    }

    pub fn take(&mut self, record: &[u8]) -> Appetite {
        let length = u32_at(record, 0).unwrap_or(0) as usize;
        let sound = length >= abi::HDR_BYTES && length % 8 == 0 && length <= record.len() && length <= abi::RECORD_MAX;
        match record.get(..length) {
            Some(content) if sound => {
                if let Some(learner) = &mut self.learner {
                    learner.look(content);
                }
                self.bytes.extend_from_slice(content);
            }
            _ => self.malformed += 1,
        }
        if self.is_full() { Appetite::Enough } else { Appetite::More }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: u32, size: usize) -> Vec<u8> {
        let mut bytes = vec![0u8; size];
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn a_record_goes_into_the_batch_with_its_own_length() {
        let mut batch = Batch::default();
        assert_eq!(batch.take(&record(40, 48)), Appetite::More);
        assert_eq!(batch.bytes.len(), 40);
    }

    #[test]
    fn a_record_that_lies_about_its_length_is_left_out_and_counted() {
        let mut batch = Batch::default();
        for bad in [record(0, 40), record(44, 48), record(64, 48), record(40_000, 40_000)] {
            batch.take(&bad);
        }
        batch.take(&[1, 2]);
        assert_eq!((batch.bytes.len(), batch.malformed), (0, 5));
    }

    #[test]
    fn a_new_reader_gets_the_record_that_the_last_one_got_half_of() {
        for (sent, rest) in [(0, 120), (39, 120), (40, 80), (79, 80), (120, 0)] {
            let mut batch = Batch::default();
            for _ in 0..3 {
                batch.take(&record(40, 40));
            }
            batch.sent = sent;
            batch.rewind();
            assert_eq!((batch.sent, batch.bytes.len()), (0, rest));
        }
    }

    #[test]
    fn a_new_reader_gets_records_of_the_rings_from_there() {
        let mut batch = Batch { from_rings: true, ..Batch::default() };
        batch.take(&record(40, 40));
        batch.rewind();
        assert!(batch.bytes.is_empty());
    }

    #[test]
    fn a_full_batch_asks_the_ring_to_stop() {
        let mut batch = Batch { bytes: vec![0; BATCH_BYTES - 40], ..Batch::default() };
        assert_eq!(batch.take(&record(40, 40)), Appetite::Enough);
        assert!(batch.bytes.len() <= 256 << 10);
    }
}
