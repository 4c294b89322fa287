//! The pinned map `info` of a hook: what a restarted loader must know about it.

use std::path::Path;

use libbpf_rs::libbpf_sys;
use libbpf_rs::{MapCore as _, MapFlags, MapHandle, MapType};

use crate::abi::CFG_BYTES;
use crate::frame::u32_at;
use crate::hook_kind::Method;
use crate::reasons;
use crate::result::{Failure, Outcome, Stage, at};

const HOOK: usize = 0;
/// Bit n: the program of bank n uses bpf_d_path.
const D_PATH: usize = 4;
/// Per bank: the generation that its content belongs to; 0: none.
const GENERATION: usize = 8;
const METHOD: usize = 16;
const METHOD_BYTES: usize = 144;
const CFG: usize = METHOD + METHOD_BYTES;
const BYTES: usize = CFG + 2 * CFG_BYTES;

pub struct HookInfo {
    map: MapHandle,
    content: Vec<u8>,
}

impl HookInfo {
    pub fn create(hook: u32, method: &Method) -> Outcome<Self> {
        let options =
            libbpf_sys::bpf_map_create_opts { sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t, ..Default::default() };
        let map = MapHandle::create(MapType::Array, Some("pal_info"), 4, BYTES as u32, 1, &options).map_err(at(Stage::Fill, "info"))?;
        let mut info = Self { map, content: vec![0; BYTES] };
        info.put(HOOK, &hook.to_le_bytes());
        info.put(METHOD, method.text().as_bytes());
        info.write()?;
        Ok(info)
    }

    pub fn open(path: &Path) -> Outcome<Self> {
        let map = MapHandle::from_pinned_path(path).map_err(at(Stage::Pin, "info"))?;
        let content = map.lookup(&0u32.to_le_bytes(), MapFlags::ANY).map_err(at(Stage::Pin, "info"))?.unwrap_or_default();
        if content.len() != BYTES {
            return Err(Failure::new(Stage::Pin, reasons::ABI_MISMATCH, "info has another size"));
        }
        Ok(Self { map, content })
    }

    pub fn pin(&mut self, path: &Path) -> Outcome<()> {
        self.map.pin(path).map_err(at(Stage::Pin, "info"))
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        if let Some(place) = self.content.get_mut(offset..offset + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    fn write(&self) -> Outcome<()> {
        self.map.update(&0u32.to_le_bytes(), &self.content, MapFlags::ANY).map_err(at(Stage::Fill, "info"))
    }

    pub fn hook(&self) -> u32 {
        u32_at(&self.content, HOOK).unwrap_or(0)
    }

    pub fn method(&self) -> Outcome<Method> {
        let text = self.content.get(METHOD..METHOD + METHOD_BYTES).unwrap_or_default();
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Method::parse(std::str::from_utf8(text).unwrap_or_default())
    }

    pub fn generation(&self, bank: u32) -> u32 {
        u32_at(&self.content, GENERATION + bank as usize * 4).unwrap_or(0)
    }

    pub fn set_generation(&mut self, bank: u32, generation: u32) -> Outcome<()> {
        self.put(GENERATION + bank as usize * 4, &generation.to_le_bytes());
        self.write()
    }

    pub fn cfg(&self, bank: u32) -> Vec<u8> {
        let from = CFG + bank as usize * CFG_BYTES;
        self.content.get(from..from + CFG_BYTES).unwrap_or_default().to_vec()
    }

    pub fn uses_d_path(&self, bank: u32) -> bool {
        u32_at(&self.content, D_PATH).unwrap_or(0) >> bank & 1 == 1
    }

    pub fn set_cfg(&mut self, bank: u32, cfg: &[u8], uses_d_path: bool) -> Outcome<()> {
        let flags = u32_at(&self.content, D_PATH).unwrap_or(0) & !(1 << bank) | u32::from(uses_d_path) << bank;
        self.put(D_PATH, &flags.to_le_bytes());
        self.put(CFG + bank as usize * CFG_BYTES, cfg);
        self.write()
    }
}
