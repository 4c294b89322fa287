use super::*;
use crate::reasons;
use crate::wire::op;

fn encode(op: u16, tlvs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (tag, value) in tlvs {
        body.extend(tag.to_le_bytes());
        body.extend([0, 0]);
        body.extend((value.len() as u32).to_le_bytes());
        body.extend(*value);
    }
    let mut out = Vec::new();
    write_frame(&mut out, Header { op, flags: 0, id: 9 }, 0, &body);
    out
}

/// A small deterministic generator, so that a failure can be repeated.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn a_frame_is_read_as_it_was_written() {
    let bytes = encode(op::HOOK, &[(tag::HOOK, &7u32.to_le_bytes()), (tag::METHOD, b"lsm:file_open"), (tag::METHOD, b"kprobe:x")]);
    assert_eq!(frame_length(&bytes).unwrap(), Some(bytes.len()));
    let frame = Frame::parse(&bytes).unwrap();
    frame.expect(&[tag::HOOK], &[tag::METHOD]).unwrap();
    assert_eq!(frame.u32(tag::HOOK).unwrap(), 7);
    assert_eq!(frame.all(tag::METHOD).count(), 2);
    assert_eq!(frame.header.id, 9);
}

#[test]
fn a_frame_that_is_not_all_there_yet_is_waited_for() {
    let bytes = encode(op::HELLO, &[(tag::ABI, &[0; 8])]);
    for end in 0..bytes.len() {
        assert_eq!(frame_length(&bytes[..end]).unwrap(), None);
    }
}

#[test]
fn impossible_lengths_are_refused_before_anything_is_stored() {
    assert!(frame_length(&[11, 0, 0, 0]).is_err());
    assert!(frame_length(&[1, 0, 0x10, 0]).is_err());
    assert!(frame_length(&[0xff; 4]).is_err());
}

#[test]
fn unknown_and_repeated_tags_and_wrong_lengths_are_refused_by_name() {
    let bytes = encode(op::BEGIN, &[(tag::GENERATION, &[1, 0]), (tag::GENERATION, &[0; 4]), (999, &[])]);
    let frame = Frame::parse(&bytes).unwrap();
    assert!(frame.expect(&[tag::GENERATION], &[]).unwrap_err().message.contains("repeated"));
    assert!(frame.expect(&[], &[tag::GENERATION]).unwrap_err().message.contains("no tag 999"));
    assert!(frame.u32(tag::GENERATION).unwrap_err().message.contains("2 bytes; 4"));
    assert!(frame.bytes(tag::LABEL).unwrap_err().message.contains("needs tag 13"));
    assert!(rows(&[0; 17], 16, tag::ROWS).is_err());
    assert!(text_of(b"a\nb", tag::NAME, 9).is_err());
    assert!(text_of(&[0xff], tag::NAME, 9).is_err());
    assert!(text_of(b"0123456789", tag::NAME, 9).is_err());
}

#[test]
fn no_input_makes_the_parser_panic() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let valid = encode(op::DATA, &[(tag::HOOK, &[1, 2, 3, 4]), (tag::MAP, &[1, 0]), (tag::ROWS, &[7; 48])]);
    for round in 0..200_000u32 {
        let mut bytes = if round % 2 == 0 { valid.clone() } else { vec![0; (noise.next() % 96) as usize] };
        for _ in 0..1 + noise.next() % 8 {
            if bytes.is_empty() {
                break;
            }
            let at = (noise.next() % bytes.len() as u64) as usize;
            bytes[at] = noise.next() as u8;
        }
        bytes.truncate((noise.next() % (bytes.len() as u64 + 1)) as usize);
        let _ = frame_length(&bytes);
        if let Ok(frame) = Frame::parse(&bytes) {
            let _ = frame.expect(&[tag::HOOK], &[tag::ROWS]);
            let _ = (frame.u16(tag::MAP), frame.u32(tag::HOOK), frame.u64(tag::ABI), frame.text(tag::NAME, 10));
            for value in frame.all(tag::ROWS) {
                let _ = rows(value, 16, tag::ROWS);
            }
        }
    }
}

#[test]
fn a_long_answer_comes_in_several_frames_and_the_result_in_the_last() {
    let mut answer = Answer::default();
    for _ in 0..3 {
        answer.bytes(tag::NAMES_FUNCTION, vec![b'x'; 600_000]);
    }
    let bytes = answer.encode(Header { op: op::CATALOGUE, flags: 0, id: 3 }, None);
    let mut rest = bytes.as_slice();
    let mut flags = Vec::new();
    let mut last = None;
    while let Some(length) = frame_length(rest).unwrap() {
        let frame = Frame::parse(&rest[..length]).unwrap();
        flags.push(frame.header.flags);
        last = frame.u16(tag::STAGE).ok();
        rest = &rest[length..];
    }
    assert!(rest.is_empty());
    assert_eq!(flags, [3, 3, 1]);
    assert_eq!(last, Some(0));
}

#[test]
fn texts_of_a_failure_are_cut_between_characters() {
    let mut failure = Failure::new(Stage::Load, reasons::VERIFIER_REJECTED, "ä".repeat(400));
    failure.verifier = "ö".repeat(4000);
    let bytes = Answer::default().encode(Header { op: 5, flags: 0, id: 1 }, Some(&failure));
    let frame = Frame::parse(&bytes).unwrap();
    assert_eq!(frame.text(tag::MESSAGE, 512).unwrap().len(), 512);
    assert_eq!(frame.text(tag::VERIFIER, 4096).unwrap().len(), 4096);
}
