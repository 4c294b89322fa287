//! The pinned map `meta`, and the journal beside the lock: what tells a restarted loader where its forerunner was.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use libbpf_rs::{MapCore as _, MapFlags, MapHandle};

use crate::abi;
use crate::frame::u32_at;
use crate::generation::Label;
use crate::result::{Outcome, Stage, at};

/// Content of `meta`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub layout: u32,
    pub abi: u32,
    pub build: [u8; 32],
    pub boot: [u8; 16],
    /// Generation in transit; 0: none.
    pub pending: u32,
    /// Generation that was rolled back; 0: none, or a later one is active.
    pub spent: u32,
    pub label: Label,
    pub pending_label: Label,
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes.get(offset..offset + N).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

impl Meta {
    /// What pins of this very loader and boot say.
    pub fn own(build: [u8; 32], boot: [u8; 16]) -> Self {
        Self { layout: abi::LAYOUT_VERSION, abi: abi::ABI_VERSION, build, boot, pending: 0, spent: 0, label: [0; 32], pending_label: [0; 32] }
    }

    /// Pins with this content can be taken over by a loader whose own is `self`.
    pub fn fits(&self, found: &Self) -> bool {
        (self.layout, self.abi, self.build, self.boot) == (found.layout, found.abi, found.build, found.boot)
    }

    pub fn encode(&self) -> [u8; abi::META_BYTES] {
        let mut bytes = [0u8; abi::META_BYTES];
        let parts: [(usize, &[u8]); 8] = [
            (0, &self.layout.to_le_bytes()),
            (4, &self.abi.to_le_bytes()),
            (abi::META_BUILD, &self.build),
            (abi::META_BOOT, &self.boot),
            (abi::META_PENDING, &self.pending.to_le_bytes()),
            (abi::META_SPENT, &self.spent.to_le_bytes()),
            (abi::META_LABEL, &self.label),
            (abi::META_PENDING_LABEL, &self.pending_label),
        ];
        for (offset, part) in parts {
            if let Some(place) = bytes.get_mut(offset..offset + part.len()) {
                place.copy_from_slice(part);
            }
        }
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Self {
        Self {
            layout: u32_at(bytes, 0).unwrap_or(0),
            abi: u32_at(bytes, 4).unwrap_or(0),
            build: array(bytes, abi::META_BUILD),
            boot: array(bytes, abi::META_BOOT),
            pending: u32_at(bytes, abi::META_PENDING).unwrap_or(0),
            spent: u32_at(bytes, abi::META_SPENT).unwrap_or(0),
            label: array(bytes, abi::META_LABEL),
            pending_label: array(bytes, abi::META_PENDING_LABEL),
        }
    }

    pub fn read(map: &MapHandle) -> Outcome<Self> {
        let bytes = map.lookup(&0u32.to_le_bytes(), MapFlags::ANY).map_err(at(Stage::Pin, "meta"))?;
        Ok(Self::decode(&bytes.unwrap_or_default()))
    }

    pub fn write(&self, map: &MapHandle) -> Outcome<()> {
        map.update(&0u32.to_le_bytes(), &self.encode(), MapFlags::ANY).map_err(at(Stage::Flip, "meta"))
    }
}

/// One line on disk, replaced as a whole: for people, and for the agent's own records after a reboot.
pub fn write_journal(state: &Path, boot: &str, from: u32, to: u32, label: &Label) -> io::Result<()> {
    let digest: String = label.iter().map(|byte| format!("{byte:02x}")).collect();
    let (fresh, journal) = (state.join("journal.new"), state.join("journal"));
    let mut file = File::create(&fresh)?;
    writeln!(file, "boot={boot} from={from} to={to} label={digest}")?;
    file.sync_all()?;
    fs::rename(fresh, journal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_is_read_as_it_was_written() {
        let meta = Meta { pending: 7, spent: 6, label: [3; 32], pending_label: [4; 32], ..Meta::own([1; 32], [2; 16]) };
        assert_eq!(Meta::decode(&meta.encode()), meta);
        assert_eq!(Meta::decode(&[]).abi, 0);
    }

    #[test]
    fn pins_of_another_build_or_boot_are_not_taken_over() {
        let own = Meta::own([1; 32], [2; 16]);
        assert!(own.fits(&Meta { pending: 3, ..own.clone() }));
        assert!(!own.fits(&Meta { build: [9; 32], ..own.clone() }));
        assert!(!own.fits(&Meta { boot: [9; 16], ..own.clone() }));
        assert!(!own.fits(&Meta { abi: 99, ..own.clone() }));
    }

    #[test]
    fn the_journal_is_one_line() {
        let state = std::env::temp_dir().join(format!("pal-journal-{}", std::process::id()));
        fs::create_dir_all(&state).unwrap();
        write_journal(&state, "b", 1, 2, &[0xab; 32]).unwrap();
        write_journal(&state, "b", 2, 3, &[0xcd; 32]).unwrap();
        let text = fs::read_to_string(state.join("journal")).unwrap();
        assert_eq!(text, format!("boot=b from=2 to=3 label={}\n", "cd".repeat(32)));
        fs::remove_dir_all(state).unwrap();
    }
}
