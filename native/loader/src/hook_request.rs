//! A HOOK request, checked.

use crate::abi;
use crate::frame::{Frame, rows, text_of, u16_at, u32_at};
use crate::generation::HookId;
use crate::hook_kind::Method;
use crate::inner::Sizes;
use crate::pins::is_hook_name;
use crate::result::{Failure, Outcome};
use crate::wire::tag;

const MOST_METHODS: usize = 8;
/// pal_cfg.feat and PAL_FEAT_LATE_RUN.
const CFG_FEAT: usize = 48;
const FEAT_LATE_RUN: u32 = 1 << 2;

#[derive(Debug)]
pub struct HookRequest<'a> {
    pub id: HookId,
    pub name: &'a str,
    pub methods: Vec<Method>,
    pub cfg: &'a [u8],
    pub tbl: &'a [u8],
    pub sizes: Sizes,
}

impl<'a> HookRequest<'a> {
    pub fn parse(frame: &Frame<'a>) -> Outcome<Self> {
        let id = frame.u32(tag::HOOK)?;
        let name = frame.text(tag::NAME, 120)?;
        if !is_hook_name(name) {
            return Err(Failure::parse(format!("hook name {name:?}: [a-z0-9_] are allowed")));
        }
        let mut methods = Vec::new();
        for value in frame.all(tag::METHOD) {
            methods.push(Method::parse(text_of(value, tag::METHOD, 140)?)?);
        }
        if !(1..=MOST_METHODS).contains(&methods.len()) {
            return Err(Failure::parse(format!("{} methods; 1 to {MOST_METHODS} are allowed", methods.len())));
        }
        let cfg = frame.sized(tag::CFG, abi::CFG_BYTES)?;
        let tbl = frame.sized(tag::TBL, abi::TBL_BYTES)?;
        let (version, own) = (u32_at(cfg, 0).unwrap_or(0), u32_at(cfg, abi::CFG_HOOK).unwrap_or(0));
        // The late companion of an execve hook carries the entry hook's id: marks and records are the entry's.
        let is_late = u32_at(cfg, CFG_FEAT).unwrap_or(0) & FEAT_LATE_RUN != 0;
        if version != abi::ABI_VERSION || (own != id && !is_late) {
            return Err(Failure::parse(format!("pal_cfg is for ABI {version} and hook {own}; {} and {id} are right", abi::ABI_VERSION)));
        }
        let mut sizes = Sizes { columns: u32_at(cfg, abi::CFG_NCOL).unwrap_or(0), ..Sizes::default() };
        for value in frame.all(tag::SIZE) {
            for row in rows(value, 8, tag::SIZE)? {
                let entries = u32_at(row, 4).unwrap_or(0);
                match u16_at(row, 0) {
                    Some(1) => sizes.ints = entries,
                    Some(2) => sizes.strs = entries,
                    // Their sizes follow from the ABI and from pal_cfg.
                    Some(3 | 4) => {}
                    other => return Err(Failure::parse(format!("SIZE of map {other:?}"))),
                }
            }
        }
        Ok(Self { id, name, methods, cfg, tbl, sizes })
    }
}
