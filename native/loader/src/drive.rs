//! Feature `drive`, for tests where Node is not. `drive SOCKET FILE` sends the frames of a file one after the other, each after the answer
//! to the last, and prints every TLV of the answers; it ends at the first failure unless the word `on` follows. `drive SOCKET events` subscribes and prints a line per record.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::abi;
use crate::frame::{Frame, frame_length, u32_at, u64_at};
use crate::result::{Failure, Outcome, Stage, io_at};
use crate::say::print_line;
use crate::wire::{FLAG_MORE, FRAME_HEADER_BYTES, op, tag};

/// Reads until `cut` finds something whole at the start of what has come.
fn read_whole(stream: &mut UnixStream, pending: &mut Vec<u8>, cut: impl Fn(&[u8]) -> Outcome<Option<usize>>) -> Outcome<Vec<u8>> {
    loop {
        if let Some(length) = cut(pending)? {
            let rest = pending.split_off(length);
            return Ok(std::mem::replace(pending, rest));
        }
        let mut buffer = [0u8; 65536];
        let count = stream.read(&mut buffer).map_err(io_at(Stage::Parse, "answer"))?;
        if count == 0 {
            return Err(Failure::parse("the loader closed the connection"));
        }
        pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

fn show(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.is_empty() && !text.contains(|letter: char| letter.is_control() && letter != '\n') => text.to_owned(),
        _ => value.iter().take(64).map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn record_length(bytes: &[u8]) -> Outcome<Option<usize>> {
    match u32_at(bytes, 0).map(|length| length as usize) {
        None => Ok(None),
        Some(length) if (abi::HDR_BYTES..=abi::RECORD_MAX).contains(&length) => Ok((bytes.len() >= length).then_some(length)),
        Some(length) => Err(Failure::parse(format!("a record of {length} bytes"))),
    }
}

fn watch(stream: &mut UnixStream) -> Outcome<()> {
    let mut request = Vec::new();
    request.extend((FRAME_HEADER_BYTES as u32).to_le_bytes());
    request.extend(op::EVENTS.to_le_bytes());
    request.extend([0; 6]);
    stream.write_all(&request).map_err(io_at(Stage::Parse, "write"))?;
    let mut pending = Vec::new();
    read_whole(stream, &mut pending, frame_length)?;
    loop {
        let record = read_whole(stream, &mut pending, record_length)?;
        let text: String = record.iter().skip(abi::HDR_BYTES).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { ' ' }).collect();
        let words: Vec<&str> = text.split_whitespace().filter(|word| word.len() > 3).collect();
        print_line!(
            "record kind {} flags {} len {} seq {} hook {} tgid {}: {}",
            record.get(4).copied().unwrap_or(0),
            record.get(5).copied().unwrap_or(0),
            record.len(),
            u64_at(&record, 8).unwrap_or(0),
            u32_at(&record, 28).unwrap_or(0),
            u32_at(&record, abi::KEY_TGID).unwrap_or(0),
            words.join(" ")
        );
    }
}

/// Ends at the first failure, unless it `goes_on`. True: there was one.
pub fn drive(socket: &Path, file: &Path, goes_on: bool) -> Outcome<bool> {
    let mut stream = UnixStream::connect(socket).map_err(io_at(Stage::Parse, "connect"))?;
    if file == Path::new("events") {
        return watch(&mut stream).map(|()| false);
    }
    let bytes = fs::read(file).map_err(io_at(Stage::Parse, "file"))?;
    let mut rest = bytes.as_slice();
    let mut pending = Vec::new();
    let mut failed = false;
    while let Some(length) = frame_length(rest)? {
        let (frame, after) = rest.split_at(length);
        rest = after;
        stream.write_all(frame).map_err(io_at(Stage::Parse, "write"))?;
        loop {
            let answer = read_whole(&mut stream, &mut pending, frame_length)?;
            let answer = Frame::parse(&answer)?;
            print_line!("op {} id {}", answer.header.op, answer.header.id);
            for tlv in answer.tlvs() {
                print_line!("  {} {}", tlv.tag, show(tlv.value));
            }
            if answer.header.flags & FLAG_MORE == 0 {
                failed |= answer.u16(tag::STAGE)? != 0;
                break;
            }
        }
        if failed && !goes_on {
            break;
        }
    }
    Ok(failed)
}
