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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Answer;
    use crate::frame::Header;
    use crate::wire::op;

    fn request(name: &str, methods: &[&str], cfg_hook: u32) -> Vec<u8> {
        let mut cfg = vec![0u8; abi::CFG_BYTES];
        cfg[..4].copy_from_slice(&abi::ABI_VERSION.to_le_bytes());
        cfg[abi::CFG_HOOK..abi::CFG_HOOK + 4].copy_from_slice(&cfg_hook.to_le_bytes());
        let mut frame = Answer::default();
        frame.u32(tag::HOOK, 7).text(tag::NAME, name).bytes(tag::CFG, cfg).bytes(tag::TBL, vec![0u8; abi::TBL_BYTES]);
        for method in methods {
            frame.text(tag::METHOD, method);
        }
        frame.bytes(tag::SIZE, [1u8, 0, 0, 0, 9, 0, 0, 0]);
        frame.encode(Header { op: op::HOOK, flags: 0, id: 1 }, None)
    }

    fn parse(bytes: &[u8]) -> Result<(u32, usize, u32), String> {
        let frame = Frame::parse(bytes).map_err(|failure| failure.message)?;
        let request = HookRequest::parse(&frame).map_err(|failure| failure.message)?;
        Ok((request.id, request.methods.len(), request.sizes.ints))
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        assert_eq!(parse(&request("lsm_file_open", &["lsm:file_open", "kprobe:x"], 7)), Ok((7, 2, 9)));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        assert!(parse(&request("../x", &["lsm:x"], 7)).unwrap_err().contains("hook name"));
        assert!(parse(&request("x", &[], 7)).unwrap_err().contains("0 methods"));
        assert!(parse(&request("x", &["lsm:x"; 9], 7)).unwrap_err().contains("9 methods"));
        assert!(parse(&request("x", &["lsm:x"], 8)).unwrap_err().contains("hook 8"));
    }

    #[test]
    fn no_byte_changed_anywhere_makes_it_panic() {
        let valid = request("lsm_file_open", &["lsm:file_open", "tracepoint:a/b"], 7);
        for at in (0..valid.len()).filter(|at| *at < 400 || at % 97 == 0) {
            for value in [0u8, 1, 0x7f, 0xff] {
                let mut bytes = valid.clone();
                bytes[at] = value;
                let _ = parse(&bytes);
            }
        }
    }
}
