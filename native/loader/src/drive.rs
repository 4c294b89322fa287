//! `drive SOCKET FILE` (feature `drive`): sends the frames of a file one after the other, each after the answer to the last, and prints
//! every TLV of the answers. For tests where Node is not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::frame::{Frame, frame_length};
use crate::result::{Failure, Outcome, Stage, io_at};
use crate::wire::FLAG_MORE;

fn read_answer(stream: &mut UnixStream, pending: &mut Vec<u8>) -> Outcome<Vec<u8>> {
    loop {
        if let Some(length) = frame_length(pending)? {
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
        Ok(text) if !text.is_empty() && text.len() < 8192 && !text.contains(|c: char| c.is_control() && c != '\n') => text.to_owned(),
        _ => value.iter().take(64).map(|byte| format!("{byte:02x}")).collect(),
    }
}

pub fn drive(socket: &Path, file: &Path) -> Outcome<()> {
    let bytes = fs::read(file).map_err(io_at(Stage::Parse, "file"))?;
    let mut stream = UnixStream::connect(socket).map_err(io_at(Stage::Parse, "connect"))?;
    let mut rest = bytes.as_slice();
    let mut pending = Vec::new();
    while let Some(length) = frame_length(rest)? {
        let (frame, after) = rest.split_at(length);
        rest = after;
        stream.write_all(frame).map_err(io_at(Stage::Parse, "write"))?;
        loop {
            let answer = read_answer(&mut stream, &mut pending)?;
            let answer = Frame::parse(&answer)?;
            println!("op {} id {}", answer.header.op, answer.header.id);
            for tlv in answer.tlvs() {
                println!("  {} {}", tlv.tag, show(tlv.value));
            }
            if answer.header.flags & FLAG_MORE == 0 {
                break;
            }
        }
    }
    Ok(())
}
