//! Records that the kernel could not put into a ring, told to the subscriber as LOSS records. Losses per policy are in its counters.

use crate::abi;
use crate::counters;
use crate::engine::Engine;
use crate::events::Command;
use crate::sys;

/// No one policy's loss.
const ANY_POLICY: u32 = u32::MAX;
/// pal_loss.reason: which ring was full.
const REASON_CRITICAL: u32 = 1;
const REASON_TELEMETRY: u32 = 2;

fn record(generation: u32, reason: u32, count: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(abi::LOSS_BYTES);
    bytes.extend((abi::LOSS_BYTES as u32).to_le_bytes());
    bytes.extend([abi::KIND_LOSS, 0, 0, 0]);
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(sys::boottime_ns().to_le_bytes());
    bytes.extend(generation.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(ANY_POLICY.to_le_bytes());
    bytes.extend(reason.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes
}

/// Queues a record for what was lost since the last one; while nobody reads, it adds up.
pub fn report(engine: &mut Engine) {
    if engine.events.is_blocked() {
        return;
    }
    let health = engine.node.as_ref().and_then(|node| counters::health(node.map("health").ok()?).ok());
    let Some(health) = health else { return };
    let rings = [(REASON_CRITICAL, abi::H_CRIT_LOST), (REASON_TELEMETRY, abi::H_TELE_LOST)];
    for ((reason, index), reported) in rings.into_iter().zip(&mut engine.reported_losses) {
        let lost = health.get(index).copied().unwrap_or(0);
        if lost > *reported {
            engine.events.send(Command::Queue(record(engine.generations.active, reason, lost - *reported)));
        }
        *reported = lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_record_is_as_long_as_it_says() {
        let bytes = record(3, REASON_TELEMETRY, 17);
        assert_eq!(bytes.len(), abi::LOSS_BYTES);
        assert_eq!(crate::frame::u32_at(&bytes, 0), Some(48));
        assert_eq!(crate::frame::u64_at(&bytes, 40), Some(17));
    }
}
