//! Frames: cutting them out of a byte stream, reading their TLVs, writing answers. The bytes come from an unprivileged process: nothing
//! here panics or allocates more than one frame on any input.

use std::collections::BTreeSet;

use crate::result::{Failure, Outcome, Stage};
use crate::wire::{FLAG_ANSWER, FLAG_MORE, FRAME_HEADER_BYTES, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, MAX_VERIFIER_BYTES, TLV_HEADER_BYTES, tag};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub op: u16,
    pub flags: u16,
    pub id: u32,
}

/// One TLV of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    pub tag: u16,
    pub value: &'a [u8],
}

/// A request: header, and TLVs whose lengths fit the frame.
#[derive(Debug)]
pub struct Frame<'a> {
    pub header: Header,
    tlvs: Vec<Tlv<'a>>,
}

pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..offset.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..offset.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

pub fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..offset.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}

/// How long the frame at the start of these bytes is. `Ok(None)`: not all of it is there yet. `Err`: no frame can be that long, and
/// where the next one begins cannot be known.
pub fn frame_length(bytes: &[u8]) -> Result<Option<usize>, Failure> {
    let Some(length) = u32_at(bytes, 0) else { return Ok(None) };
    let length = length as usize;
    if !(FRAME_HEADER_BYTES..=MAX_FRAME_BYTES).contains(&length) {
        return Err(Failure::parse(format!("no frame can be {length} bytes long")));
    }
    Ok((bytes.len() >= length).then_some(length))
}

/// Op, flags and id of a whole frame.
pub fn parse_header(frame: &[u8]) -> Outcome<Header> {
    match (u16_at(frame, 4), u16_at(frame, 6), u32_at(frame, 8)) {
        (Some(op), Some(flags), Some(id)) => Ok(Header { op, flags, id }),
        _ => Err(Failure::parse("frame is shorter than its header")),
    }
}

impl<'a> Frame<'a> {
    /// `bytes` is one whole frame as `frame_length` measured it.
    pub fn parse(bytes: &'a [u8]) -> Outcome<Self> {
        let header = parse_header(bytes)?;
        let mut tlvs = Vec::new();
        let mut rest = bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        while !rest.is_empty() {
            let (Some(tag), Some(length)) = (u16_at(rest, 0), u32_at(rest, 4)) else {
                return Err(Failure::parse("a TLV is cut off"));
            };
            let end = (length as usize).saturating_add(TLV_HEADER_BYTES);
            let Some(value) = rest.get(TLV_HEADER_BYTES..end) else {
                return Err(Failure::parse(format!("TLV {tag} says {length} bytes and the frame ends before")));
            };
            tlvs.push(Tlv { tag, value });
            rest = rest.get(end..).unwrap_or_default();
        }
        Ok(Self { header, tlvs })
    }

    /// Refuses tags that are in neither list, and repeated ones of the first.
    pub fn expect(&self, once: &[u16], repeated: &[u16]) -> Outcome<()> {
        let mut seen = BTreeSet::new();
        for Tlv { tag, .. } in &self.tlvs {
            if repeated.contains(tag) {
                continue;
            }
            if !once.contains(tag) {
                return Err(Failure::parse(format!("op {} has no tag {tag}", self.header.op)));
            }
            if !seen.insert(*tag) {
                return Err(Failure::parse(format!("tag {tag} is repeated")));
            }
        }
        Ok(())
    }

    #[cfg(feature = "drive")]
    pub fn tlvs(&self) -> &[Tlv<'a>] {
        &self.tlvs
    }

    pub fn all(&self, tag: u16) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.tlvs.iter().filter(move |tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }

    pub fn bytes(&self, tag: u16) -> Outcome<&'a [u8]> {
        self.all(tag).next().ok_or_else(|| Failure::parse(format!("op {} needs tag {tag}", self.header.op)))
    }

    pub fn sized(&self, tag: u16, length: usize) -> Outcome<&'a [u8]> {
        let value = self.bytes(tag)?;
        if value.len() != length {
            return Err(Failure::parse(format!("tag {tag} has {} bytes; {length} are right", value.len())));
        }
        Ok(value)
    }

    pub fn u16(&self, tag: u16) -> Outcome<u16> {
        let value = self.sized(tag, 2)?;
        u16_at(value, 0).ok_or_else(|| Failure::parse("short u16"))
    }

    pub fn u32(&self, tag: u16) -> Outcome<u32> {
        let value = self.sized(tag, 4)?;
        u32_at(value, 0).ok_or_else(|| Failure::parse("short u32"))
    }

    pub fn u64(&self, tag: u16) -> Outcome<u64> {
        let value = self.sized(tag, 8)?;
        u64_at(value, 0).ok_or_else(|| Failure::parse("short u64"))
    }

    /// Text of at most `max` bytes, without control characters.
    pub fn text(&self, tag: u16, max: usize) -> Outcome<&'a str> {
        text_of(self.bytes(tag)?, tag, max)
    }
}

/// UTF-8 of at most `max` bytes, without control characters.
pub fn text_of(value: &[u8], tag: u16, max: usize) -> Outcome<&str> {
    if value.len() > max {
        return Err(Failure::parse(format!("tag {tag} has {} bytes; at most {max} are allowed", value.len())));
    }
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        _ => Err(Failure::parse(format!("tag {tag} is not text"))),
    }
}

/// Splits packed rows; refuses a length that is no multiple of the row's.
pub fn rows(value: &[u8], row_bytes: usize, tag: u16) -> Outcome<std::slice::ChunksExact<'_, u8>> {
    let rows = value.chunks_exact(row_bytes);
    if !rows.remainder().is_empty() {
        return Err(Failure::parse(format!("tag {tag} has {} bytes; rows have {row_bytes}", value.len())));
    }
    Ok(rows)
}

/// An answer in the making: TLVs, to be cut into frames of the allowed size.
#[derive(Default, Debug)]
pub struct Answer {
    tlvs: Vec<(u16, Vec<u8>)>,
}

impl Answer {
    pub fn bytes(&mut self, tag: u16, value: impl Into<Vec<u8>>) -> &mut Self {
        self.tlvs.push((tag, value.into()));
        self
    }

    pub fn text(&mut self, tag: u16, value: &str) -> &mut Self {
        self.bytes(tag, value.as_bytes())
    }

    pub fn u16(&mut self, tag: u16, value: u16) -> &mut Self {
        self.bytes(tag, value.to_le_bytes())
    }

    pub fn u32(&mut self, tag: u16, value: u32) -> &mut Self {
        self.bytes(tag, value.to_le_bytes())
    }

    pub fn u64(&mut self, tag: u16, value: u64) -> &mut Self {
        self.bytes(tag, value.to_le_bytes())
    }

    /// The bytes of all frames of the answer. The result goes into the last one.
    pub fn encode(mut self, request: Header, failure: Option<&Failure>) -> Vec<u8> {
        self.u16(tag::STAGE, failure.map_or(Stage::Ok, |failure| failure.stage) as u16);
        if let Some(failure) = failure {
            self.u32(tag::ERRNO, u32::try_from(failure.errno).unwrap_or(0));
            self.text(tag::REASON, failure.reason);
            self.text(tag::MESSAGE, head(&failure.message, MAX_MESSAGE_BYTES));
            self.text(tag::VERIFIER, tail(&failure.verifier, MAX_VERIFIER_BYTES));
        }
        let mut out = Vec::new();
        let mut body: Vec<u8> = Vec::new();
        for (tag, value) in self.tlvs {
            let size = TLV_HEADER_BYTES + value.len();
            if !body.is_empty() && FRAME_HEADER_BYTES + body.len() + size > MAX_FRAME_BYTES {
                write_frame(&mut out, request, FLAG_ANSWER | FLAG_MORE, &body);
                body.clear();
            }
            body.extend(tag.to_le_bytes());
            body.extend([0, 0]);
            body.extend((value.len() as u32).to_le_bytes());
            body.extend(value);
        }
        write_frame(&mut out, request, FLAG_ANSWER, &body);
        out
    }
}

fn write_frame(out: &mut Vec<u8>, request: Header, flags: u16, body: &[u8]) {
    out.extend(((FRAME_HEADER_BYTES + body.len()) as u32).to_le_bytes());
    out.extend(request.op.to_le_bytes());
    out.extend(flags.to_le_bytes());
    out.extend(request.id.to_le_bytes());
    out.extend(body);
}

/// At most `max` bytes from the start, cut between characters.
pub fn head(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// At most `max` bytes from the end, cut between characters.
pub fn tail(text: &str, max: usize) -> &str {
    let from = text.len().saturating_sub(max);
    let start = (from..=text.len()).find(|start| text.is_char_boundary(*start)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

#[cfg(test)]
#[path = "frame_test.rs"]
mod tests;
