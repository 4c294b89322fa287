//! COUNTERS and ZERO: sums over all CPUs.

use std::collections::BTreeSet;

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;
use crate::frame::u64_at;
use crate::result::{Outcome, Stage, at};

/// Sums per-CPU values word by word.
fn sum<const N: usize>(per_cpu: &[Vec<u8>]) -> [u64; N] {
    let mut total = [0u64; N];
    for value in per_cpu {
        for (index, word) in total.iter_mut().enumerate() {
            *word = word.wrapping_add(u64_at(value, index * 8).unwrap_or(0));
        }
    }
    total
}

fn read<const N: usize>(map: &MapHandle, index: u32, what: &str) -> Outcome<[u64; N]> {
    let value = map.lookup_percpu(&index.to_le_bytes(), MapFlags::ANY).map_err(at(Stage::Fill, what))?;
    Ok(sum(&value.unwrap_or_default()))
}

/// Rows {u32 index, u32 0, u64[12]} of those counters that are not all zero.
pub fn rows(map: &MapHandle, indices: &BTreeSet<u32>) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    for index in indices {
        let words: [u64; abi::COUNTER_WORDS] = read(map, *index, "cnt")?;
        if words.iter().any(|word| *word != 0) {
            bytes.extend(index.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        }
    }
    Ok(bytes)
}

pub fn health(map: &MapHandle) -> Outcome<[u64; abi::HEALTH_WORDS]> {
    read(map, 0, "health")
}

pub fn zero(map: &MapHandle, index: u32) -> Outcome<()> {
    let cpus = crate::host::possible_cpus() as usize;
    let zeros = vec![vec![0u8; abi::COUNTER_WORDS * 8]; cpus];
    map.update_percpu(&index.to_le_bytes(), &zeros, MapFlags::ANY).map_err(at(Stage::Fill, "cnt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_cpus_are_added() {
        let one = [1u64, 2].map(u64::to_le_bytes).concat();
        assert_eq!(sum::<2>(&[one.clone(), one, vec![]]), [2, 4]);
    }
}
