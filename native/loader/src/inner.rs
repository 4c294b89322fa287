//! Maps behind the outer ones: what each looks like, how one is made and filled.

use std::fmt;
use std::rc::Rc;

use libbpf_rs::libbpf_sys;
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType};

use crate::abi;
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at};

/// One of a hook's five tables, or the node's binary sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Number in MAP and SIZE; 0: not filled by rows.
    pub number: u16,
    /// Name of the outer map.
    pub name: &'static str,
    kind: MapType,
    pub key_bytes: u32,
    pub value_bytes: u32,
    flags: u32,
    /// Entries where no SIZE says otherwise.
    entries: u32,
    /// True: SIZE decides.
    sized: bool,
}

pub const TBL: Table =
    Table { number: 0, name: "tbl", kind: MapType::Array, key_bytes: 4, value_bytes: abi::TBL_BYTES as u32, flags: 0, entries: 1, sized: false };
pub const INTS: Table = Table {
    number: 1,
    name: "ints",
    kind: MapType::Hash,
    key_bytes: abi::INT_KEY_BYTES,
    value_bytes: abi::MASK_BYTES,
    flags: 0,
    entries: 1,
    sized: true,
};
pub const STRS: Table = Table {
    number: 2,
    name: "strs",
    kind: MapType::LpmTrie,
    key_bytes: abi::STR_KEY_BYTES,
    value_bytes: abi::STR_BYTES,
    flags: libbpf_sys::BPF_F_NO_PREALLOC,
    entries: 1,
    sized: true,
};
pub const SCOPE: Table = Table {
    number: 3,
    name: "scope",
    kind: MapType::Array,
    key_bytes: 4,
    value_bytes: abi::MASK_BYTES,
    flags: 0,
    entries: abi::CLASSES,
    sized: false,
};
pub const COLS: Table = Table {
    number: 4,
    name: "cols",
    kind: MapType::Array,
    key_bytes: 4,
    value_bytes: abi::MASK_BYTES,
    flags: libbpf_sys::BPF_F_INNER_MAP,
    entries: 256,
    sized: false,
};
pub const BSETS: Table = Table { number: crate::wire::MAP_BSETS, name: "bsets", ..STRS };

/// A hook's tables, in the order in which they are kept.
pub const OF_HOOK: [Table; 5] = [TBL, INTS, STRS, SCOPE, COLS];

/// More rows than any policy needs; bounds what one request can make the kernel allocate.
const MOST_ENTRIES: u32 = 1 << 20;

impl Table {
    /// The table of that number that takes rows.
    pub fn of_number(number: u16) -> Option<(usize, Self)> {
        OF_HOOK.into_iter().enumerate().find(|(_, table)| table.number == number && number != 0)
    }

    pub fn row_bytes(&self) -> usize {
        (self.key_bytes + self.value_bytes) as usize
    }

    /// A new map. `entries` counts only where SIZE may decide, and for COLS.
    pub fn create(&self, entries: Option<u32>) -> Outcome<Rc<MapHandle>> {
        let entries = match entries {
            Some(wanted) if self.sized || *self == COLS => wanted.max(1),
            _ => self.entries,
        };
        if entries > MOST_ENTRIES {
            return Err(Failure::new(
                Stage::Fill,
                reasons::SET_TOO_LARGE,
                format!("{} with {entries} entries; at most {MOST_ENTRIES} are allowed", self.name),
            ));
        }
        let options = libbpf_sys::bpf_map_create_opts {
            sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t,
            map_flags: self.flags,
            ..Default::default()
        };
        MapHandle::create(self.kind, Some(format!("pal_{}", self.name)), self.key_bytes, self.value_bytes, entries, &options)
            .map(Rc::new)
            .map_err(at(Stage::Fill, self.name))
    }

    /// Writes packed rows.
    pub fn fill(&self, map: &MapHandle, rows: &[u8]) -> Outcome<()> {
        for row in crate::frame::rows(rows, self.row_bytes(), crate::wire::tag::ROWS)? {
            let (key, value) = row.split_at(self.key_bytes as usize);
            map.update(key, value, MapFlags::ANY).map_err(|error| {
                let mut failure = at(Stage::Fill, self.name)(error);
                if failure.errno == libc::E2BIG || failure.errno == libc::ENOSPC {
                    failure.reason = reasons::SET_TOO_LARGE;
                }
                failure
            })?;
        }
        Ok(())
    }
}

/// The inner maps of one hook and bank. Cloning shares the maps.
#[derive(Clone)]
pub struct Tables(pub [Rc<MapHandle>; 5]);

impl fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tables")
    }
}

/// Entries per table, as SIZE says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    pub ints: u32,
    pub strs: u32,
    pub columns: u32,
}

impl Tables {
    pub fn create(sizes: Sizes) -> Outcome<Self> {
        Ok(Self([
            TBL.create(None)?,
            INTS.create(Some(sizes.ints))?,
            STRS.create(Some(sizes.strs))?,
            SCOPE.create(None)?,
            COLS.create(Some(sizes.columns.max(1).saturating_mul(256)))?,
        ]))
    }

    pub fn tbl(&self) -> &MapHandle {
        &self.0[0]
    }

    pub fn scope(&self) -> &Rc<MapHandle> {
        &self.0[3]
    }

    pub fn with_table(self, content: &[u8]) -> Outcome<Self> {
        TBL.fill(self.tbl(), &[&0u32.to_le_bytes(), content].concat())?;
        Ok(self)
    }

    /// Indices into `cnt` that the table's selectors use.
    pub fn counter_indices(&self) -> Vec<u32> {
        let content = self.tbl().lookup(&0u32.to_le_bytes(), MapFlags::ANY).ok().flatten().unwrap_or_default();
        counter_indices(&content)
    }
}

/// Of the selectors in `all`, the counters.
pub fn counter_indices(tbl: &[u8]) -> Vec<u32> {
    (0..abi::SELECTORS)
        .filter(|selector| crate::frame::u64_at(tbl, abi::TBL_ALL + selector / 64 * 8).is_some_and(|word| word >> (selector % 64) & 1 == 1))
        .filter_map(|selector| crate::frame::u32_at(tbl, abi::TBL_SEL + selector * abi::SEL_BYTES + abi::SEL_CNT))
        .filter(|index| *index < abi::COUNTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_selectors_that_are_in_use_have_counters() {
        let mut tbl = vec![0u8; abi::TBL_BYTES];
        tbl[8] = 1 << 1;
        for (selector, index) in [(0usize, 5u32), (65, 77)] {
            let offset = abi::TBL_SEL + selector * abi::SEL_BYTES + abi::SEL_CNT;
            tbl[offset..offset + 4].copy_from_slice(&index.to_le_bytes());
        }
        assert_eq!(counter_indices(&tbl), [77]);
        assert!(counter_indices(&[]).is_empty());
    }

    #[test]
    fn rows_are_as_long_as_the_protocol_says() {
        let lengths: Vec<_> = [1, 2, 3, 4].iter().map(|number| Table::of_number(*number).unwrap().1.row_bytes()).collect();
        assert_eq!(lengths, [48, 332, 36, 36]);
        assert!(Table::of_number(0).is_none() && Table::of_number(5).is_none());
        assert_eq!(BSETS.row_bytes(), 332);
    }
}
