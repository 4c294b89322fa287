//! What the kernel's programs count and nobody else tells: records that a ring had no room for become LOSS records, and what should never
//! happen becomes ALARM records. Losses per policy are in its counters.

use crate::abi;
use crate::counters;
use crate::engine::Engine;
use crate::events::Command;
use crate::sys;

/// No one policy's loss.
const ANY_POLICY: u32 = u32::MAX;
/// pal_loss.reason of a full ring, by health counter.
const LOSSES: [(usize, u32); 2] = [(abi::H_CRIT_LOST, 1), (abi::H_TELE_LOST, 2)];
/// Health counters that mean a verdict without all that it should have looked at, or none. Their numbers are pal_alarm.code.
const ALARMS: [usize; 7] =
    [abi::H_EMPTY_SLOT, abi::H_NO_SCRATCH, abi::H_NO_TABLE, abi::H_STORAGE_FAILED, abi::H_CGROUP_FULL, abi::H_LATE_UNMARKED, abi::H_KILL_FAILED];

/// What has been told of each health counter.
pub type Told = [u64; abi::HEALTH_WORDS];

/// pal_loss or pal_alarm: a head, two words and a number, then zeros.
fn record(kind: u8, length: usize, generation: u32, words: [u32; 2], number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    bytes.extend((length as u32).to_le_bytes());
    bytes.extend([kind, 0, 0, 0]);
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(sys::boottime_ns().to_le_bytes());
    bytes.extend(generation.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(number.to_le_bytes());
    bytes.resize(length, 0);
    bytes
}

/// Records for what has grown since.
fn grown(told: &mut Told, health: &Told, generation: u32) -> Vec<u8> {
    let mut growth = |index: usize| -> u64 {
        let (now, before) = (health.get(index).copied().unwrap_or(0), told.get_mut(index));
        before.map_or(0, |before| now.saturating_sub(std::mem::replace(before, now)))
    };
    let mut records = Vec::new();
    for (index, reason) in LOSSES {
        match growth(index) {
            0 => {}
            lost => records.extend(record(abi::KIND_LOSS, abi::LOSS_BYTES, generation, [ANY_POLICY, reason], lost)),
        }
    }
    for index in ALARMS {
        match growth(index) {
            0 => {}
            times => records.extend(record(abi::KIND_ALARM, abi::ALARM_BYTES, generation, [index as u32, 0], times)),
        }
    }
    records
}

/// What a loader before this one has counted: losses show as gaps in the numbers of the records anyway. Alarms are told once more.
pub fn adopted(health: &Told) -> Told {
    let mut told = [0; abi::HEALTH_WORDS];
    for (index, _) in LOSSES {
        if let (Some(told), Some(count)) = (told.get_mut(index), health.get(index)) {
            *told = *count;
        }
    }
    told
}

/// Queues records for what happened since the last ones; while nobody reads, it adds up.
pub fn report(engine: &mut Engine) {
    if engine.events.is_blocked() {
        return;
    }
    let health = engine.node.as_ref().and_then(|node| counters::health(node.map("health").ok()?).ok());
    let Some(health) = health else { return };
    let records = grown(&mut engine.told, &health, engine.generations.active);
    if !records.is_empty() {
        engine.events.send(Command::Queue(records));
    }
}

/// Calls that were skipped, as the programs that there are now have counted them.
pub fn report_skipped(engine: &mut Engine, now: u64) {
    let before = std::mem::replace(&mut engine.told_skipped, now);
    if now > before {
        let alarm = record(abi::KIND_ALARM, abi::ALARM_BYTES, engine.generations.active, [abi::ALARM_SKIPPED, 0], now - before);
        engine.events.send(Command::Queue(alarm));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{u32_at, u64_at};

    fn health(counts: &[(usize, u64)]) -> Told {
        let mut health = [0; abi::HEALTH_WORDS];
        for (index, count) in counts {
            health[*index] = *count;
        }
        health
    }

    #[test]
    fn what_a_ring_lost_is_told_once() {
        let mut told = health(&[]);
        let bytes = grown(&mut told, &health(&[(abi::H_TELE_LOST, 17)]), 3);
        assert_eq!((bytes.len(), u32_at(&bytes, 0), bytes[4]), (abi::LOSS_BYTES, Some(48), abi::KIND_LOSS));
        assert_eq!((u32_at(&bytes, 36), u64_at(&bytes, 40)), (Some(2), Some(17)));
        assert!(grown(&mut told, &health(&[(abi::H_TELE_LOST, 17)]), 3).is_empty());
        assert_eq!(u64_at(&grown(&mut told, &health(&[(abi::H_TELE_LOST, 20)]), 3), 40), Some(3));
    }

    #[test]
    fn a_call_that_found_no_program_raises_an_alarm_and_an_overlays_inner_open_none() {
        let mut told = health(&[]);
        let bytes = grown(&mut told, &health(&[(abi::H_EMPTY_SLOT, 2), (8, 100)]), 3);
        assert_eq!((bytes.len(), u32_at(&bytes, 0), bytes[4]), (abi::ALARM_BYTES, Some(56), abi::KIND_ALARM));
        assert_eq!((u32_at(&bytes, 32), u64_at(&bytes, 40)), (Some(abi::H_EMPTY_SLOT as u32), Some(2)));
    }

    #[test]
    fn a_loader_that_starts_again_does_not_tell_the_losses_of_a_whole_boot_again() {
        let counted = health(&[(abi::H_CRIT_LOST, 5), (abi::H_NO_TABLE, 1)]);
        let mut told = adopted(&counted);
        let bytes = grown(&mut told, &counted, 3);
        assert_eq!((bytes.len(), bytes[4]), (abi::ALARM_BYTES, abi::KIND_ALARM));
    }
}
