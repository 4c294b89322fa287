//! The thread that carries records from the rings to the subscriber: critical ones first, in batches, as fast as the subscriber reads and
//! no faster. A record stays in its ring until the subscriber has said that it is done with it, so that neither the death of this process
//! nor that of the subscriber loses any; when a ring is full the kernel counts what it loses. Nothing is dropped here in silence, and no
//! memory is allocated per record.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use libbpf_rs::MapHandle;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use crate::abi;
use crate::caps::Kept;
use crate::exempt_learner::ExemptLearner;
use crate::frame::{u32_at, u64_at};
use crate::ring::{Appetite, Ring};
use crate::say::say;

/// Bytes of one write, at most: a batch ends with the record that reaches it.
const BATCH_BYTES: usize = (256 << 10) - abi::RECORD_MAX;
/// Records of the loader's own making that wait for a subscriber, at most: some ten thousand processes.
const MOST_QUEUED_BYTES: usize = 16 << 20;
const QUICK: Duration = Duration::from_micros(500);
const SLOW: Duration = Duration::from_millis(5);

pub enum Command {
    /// Maps to read from now on.
    Rings { critical: MapHandle, telemetry: MapHandle },
    /// Lets go of the rings, and answers.
    Release(Sender<()>),
    /// The one reader, from now on. One that `acknowledges` gets again what its predecessor has not.
    Subscriber { stream: UnixStream, acknowledges: bool },
    /// Looks at exec records for exempt executables from now on.
    Learn(ExemptLearner),
    /// Records made by the loader itself, to be sent before anything else.
    Queue(Vec<u8>),
}

/// The control thread's end.
pub struct Events {
    commands: Sender<Command>,
    bell: Arc<EventFd>,
    /// True while nobody reads, or not fast enough.
    blocked: Arc<AtomicBool>,
}

impl Events {
    /// Starts the thread, which gives up what it does not need before it does anything.
    pub fn start_confined(kept: &[Kept], no_drop: bool) -> io::Result<Self> {
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC)?);
        let blocked = Arc::new(AtomicBool::new(true));
        let (commands, inbox) = channel();
        let (own_bell, own_blocked) = (Arc::clone(&bell), Arc::clone(&blocked));
        let kept = kept.to_vec();
        thread::Builder::new().name("events".to_owned()).spawn(move || match crate::serve::confine(&kept, no_drop) {
            Ok(()) => Carrier::new(inbox, own_bell, own_blocked).run(),
            Err(error) => {
                say!("events: cannot give up privileges: {error}");
                std::process::exit(1);
            }
        })?;
        Ok(Self { commands, bell, blocked })
    }

    /// True: what is queued now would wait. For records that can be made later, of more.
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub fn send(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            let _ = self.bell.write(1);
        }
    }

    /// Waits until no ring is mapped any more.
    pub fn release(&self) {
        let (done, waiting) = channel();
        self.send(Command::Release(done));
        let _ = waiting.recv_timeout(Duration::from_secs(5));
    }
}

/// Bytes on their way to the subscriber.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    sent: usize,
    /// From the rings, where they stay until they are released: a new reader gets them from there.
    from_rings: bool,
    /// Records whose length field lies: they would put the reader out of step.
    malformed: u64,
    learner: Option<ExemptLearner>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
        self.from_rings = false;
    }

    /// For a new reader: begins again with the record that the last one got a part of.
    fn rewind(&mut self) {
        if self.from_rings {
            self.clear();
            return;
        }
        let mut start = 0;
        while let Some(length) = u32_at(&self.bytes, start).map(|length| length as usize) {
            if length == 0 || start + length > self.sent {
                break;
            }
            start += length;
        }
        self.bytes.drain(..start);
        self.sent = 0;
    }

    fn take(&mut self, record: &[u8]) -> Appetite {
        let length = u32_at(record, 0).unwrap_or(0) as usize;
        let sound = length >= abi::HDR_BYTES && length % 8 == 0 && length <= record.len() && length <= abi::RECORD_MAX;
        match record.get(..length) {
            Some(content) if sound => {
                if let Some(learner) = &mut self.learner {
                    learner.look(content);
                }
                self.bytes.extend_from_slice(content);
            }
            _ => self.malformed += 1,
        }
        if self.is_full() { Appetite::Enough } else { Appetite::More }
    }
}

struct Rings {
    critical: Ring,
    telemetry: Ring,
}

impl Rings {
    fn positions(&self) -> [u64; 2] {
        [self.critical.position(), self.telemetry.position()]
    }

    fn release(&mut self, positions: [u64; 2]) {
        self.critical.release(positions[0]);
        self.telemetry.release(positions[1]);
    }

    fn is_crowded(&self) -> bool {
        self.critical.is_crowded() || self.telemetry.is_crowded()
    }
}

/// A batch that the subscriber has been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given {
    /// Bytes of the whole stream up to its end.
    end: u64,
    /// Where the rings were read up to then.
    positions: [u64; 2],
}

/// What a subscriber has been given and has not acknowledged, oldest first.
#[derive(Default)]
struct Ledger {
    given: VecDeque<Given>,
    /// Bytes of the stream so far.
    end: u64,
    /// The part of an acknowledgement that has come.
    partial: Vec<u8>,
}

impl Ledger {
    fn give(&mut self, bytes: usize, positions: [u64; 2]) {
        self.end += bytes as u64;
        self.given.push_back(Given { end: self.end, positions });
    }

    /// Takes acknowledgements, u64 each: the stream's first so many bytes are done with. Returns what can be released.
    fn acknowledge(&mut self, bytes: &[u8]) -> Option<[u64; 2]> {
        self.partial.extend_from_slice(bytes);
        let whole = self.partial.len() / 8 * 8;
        let done = whole.checked_sub(8).and_then(|last| u64_at(&self.partial, last));
        self.partial.drain(..whole);
        let mut released = None;
        while let (Some(done), Some(first)) = (done, self.given.front()) {
            if first.end > done {
                break;
            }
            released = self.given.pop_front().map(|given| given.positions);
        }
        released
    }

    fn oldest(&mut self) -> Option<[u64; 2]> {
        self.given.pop_front().map(|given| given.positions)
    }
}

struct Reader {
    stream: UnixStream,
    /// None: what it was given is done with.
    ledger: Option<Ledger>,
}

struct Carrier {
    inbox: Receiver<Command>,
    bell: Arc<EventFd>,
    blocked: Arc<AtomicBool>,
    rings: Option<Rings>,
    reader: Option<Reader>,
    batch: Batch,
    queued: VecDeque<Vec<u8>>,
    pause: Duration,
    reported_malformed: u64,
}

impl Carrier {
    fn new(inbox: Receiver<Command>, bell: Arc<EventFd>, blocked: Arc<AtomicBool>) -> Self {
        let batch = Batch { bytes: Vec::with_capacity(BATCH_BYTES + abi::RECORD_MAX), ..Batch::default() };
        Self { inbox, bell, blocked, rings: None, reader: None, batch, queued: VecDeque::new(), pause: QUICK, reported_malformed: 0 }
    }

    fn run(mut self) {
        loop {
            self.wait();
            let _ = self.bell.read();
            while let Ok(command) = self.inbox.try_recv() {
                self.obey(command);
            }
            if self.reader.is_some() {
                self.carry();
            }
            self.blocked.store(self.reader.is_none() || !self.batch.is_empty(), Ordering::Relaxed);
            self.report_malformed();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Rings { critical, telemetry } => {
                self.let_go();
                match (Ring::open(&critical), Ring::open(&telemetry)) {
                    (Ok(critical), Ok(telemetry)) => self.rings = Some(Rings { critical, telemetry }),
                    (Err(error), _) | (_, Err(error)) => say!("events: cannot map the rings: {error}"),
                }
            }
            Command::Release(done) => {
                self.let_go();
                self.batch.learner = None;
                let _ = done.send(());
            }
            Command::Subscriber { stream, acknowledges } => {
                self.batch.rewind();
                if let Some(rings) = &mut self.rings {
                    rings.critical.rewind();
                    rings.telemetry.rewind();
                }
                let ledger = acknowledges.then(Ledger::default);
                self.reader = stream.set_nonblocking(true).is_ok().then_some(Reader { stream, ledger });
            }
            Command::Learn(learner) => self.batch.learner = Some(learner),
            Command::Queue(records) => self.queue(records),
        }
    }

    /// Positions of rings that are gone mean nothing any more.
    fn let_go(&mut self) {
        self.rings = None;
        if let Some(ledger) = self.reader.as_mut().and_then(|reader| reader.ledger.as_mut()) {
            ledger.given.clear();
        }
    }

    /// What nobody fetches is bounded: the oldest goes, and that is said.
    fn queue(&mut self, records: Vec<u8>) {
        self.queued.push_back(records);
        while self.queued.iter().map(Vec::len).sum::<usize>() > MOST_QUEUED_BYTES {
            let dropped = self.queued.pop_front().map_or(0, |records| records.len());
            say!("events: {dropped} bytes of the loader's own records were not fetched and are dropped");
        }
    }

    /// Sleeps until there may be something to do. Rings are looked at from time to time: their descriptors are readable as long as
    /// anything in them waits for its release.
    fn wait(&self) {
        let mut polled = vec![PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)];
        let blocked = !self.batch.is_empty();
        if let Some(reader) = &self.reader {
            let interest = if blocked { PollFlags::POLLOUT } else { PollFlags::POLLIN };
            polled.push(PollFd::new(reader.stream.as_fd(), interest));
        }
        let drains = self.reader.is_some() && self.rings.is_some() && !blocked;
        let timeout = drains.then(|| TimeSpec::from_duration(self.pause));
        let _ = ppoll(&mut polled, timeout, None);
    }

    /// Sends what waits, then what the rings hold, until the subscriber blocks or there is nothing more.
    fn carry(&mut self) {
        let mut carried = false;
        loop {
            if !self.flush() {
                return;
            }
            self.batch.clear();
            if let Some(records) = self.queued.pop_front() {
                self.batch.bytes.extend_from_slice(&records);
                continue;
            }
            let Some(rings) = &mut self.rings else { break };
            let batch = &mut self.batch;
            batch.from_rings = true;
            rings.critical.read(|record| batch.take(record));
            if !batch.is_full() {
                rings.telemetry.read(|record| batch.take(record));
            }
            if batch.is_empty() {
                break;
            }
            carried = true;
        }
        self.pause = if carried { QUICK } else { (self.pause * 2).min(SLOW) };
        self.listen();
    }

    /// True when everything is written. A subscriber that went away is forgotten; the rings then keep what they hold.
    fn flush(&mut self) -> bool {
        let Some(reader) = &mut self.reader else { return false };
        let batch = &mut self.batch;
        while !batch.is_empty() {
            let rest = batch.bytes.get(batch.sent..).unwrap_or_default();
            match reader.stream.write(rest) {
                Ok(0) => break,
                Ok(written) => batch.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        if !batch.is_empty() {
            self.reader = None;
            return false;
        }
        if !batch.bytes.is_empty() {
            self.given();
        }
        true
    }

    /// The batch is the subscriber's now. Rings are never more than half full of what waits for an acknowledgement: beyond that the
    /// kernel needs the room more, and a reader that is killed then has lost what it had in hand.
    fn given(&mut self) {
        let Some(ledger) = self.reader.as_mut().map(|reader| &mut reader.ledger) else { return };
        let positions = self.rings.as_ref().map_or([0; 2], Rings::positions);
        let bytes = self.batch.bytes.len();
        match (ledger, &mut self.rings) {
            (Some(ledger), rings) => {
                ledger.give(bytes, positions);
                while let Some(rings) = rings.as_mut().filter(|rings| rings.is_crowded()) {
                    let Some(oldest) = ledger.oldest() else { break };
                    rings.release(oldest);
                }
            }
            (None, Some(rings)) => rings.release(positions),
            (None, None) => {}
        }
    }

    /// A subscriber says nothing but acknowledgements.
    fn listen(&mut self) {
        let Some(reader) = &mut self.reader else { return };
        let mut bytes = [0u8; 512];
        loop {
            match io::Read::read(&mut &reader.stream, &mut bytes) {
                Ok(0) => break,
                Ok(count) => {
                    let said = bytes.get(..count).unwrap_or_default();
                    let released = reader.ledger.as_mut().and_then(|ledger| ledger.acknowledge(said));
                    if let (Some(positions), Some(rings)) = (released, &mut self.rings) {
                        rings.release(positions);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => break,
            }
        }
        self.reader = None;
    }

    fn report_malformed(&mut self) {
        let malformed = self.batch.malformed;
        if malformed != self.reported_malformed {
            say!("events: {malformed} records with a wrong length were left out so far");
            self.reported_malformed = malformed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(length: u32, size: usize) -> Vec<u8> {
        let mut bytes = vec![0u8; size];
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn a_record_goes_into_the_batch_with_its_own_length() {
        let mut batch = Batch::default();
        assert_eq!(batch.take(&record(40, 48)), Appetite::More);
        assert_eq!(batch.bytes.len(), 40);
    }

    #[test]
    fn a_record_that_lies_about_its_length_is_left_out_and_counted() {
        let mut batch = Batch::default();
        for bad in [record(0, 40), record(44, 48), record(64, 48), record(40_000, 40_000)] {
            batch.take(&bad);
        }
        batch.take(&[1, 2]);
        assert_eq!((batch.bytes.len(), batch.malformed), (0, 5));
    }

    #[test]
    fn a_new_reader_gets_the_record_that_the_last_one_got_half_of() {
        for (sent, rest) in [(0, 120), (39, 120), (40, 80), (79, 80), (120, 0)] {
            let mut batch = Batch::default();
            for _ in 0..3 {
                batch.take(&record(40, 40));
            }
            batch.sent = sent;
            batch.rewind();
            assert_eq!((batch.sent, batch.bytes.len()), (0, rest));
        }
    }

    #[test]
    fn a_new_reader_gets_records_of_the_rings_from_there() {
        let mut batch = Batch { from_rings: true, ..Batch::default() };
        batch.take(&record(40, 40));
        batch.rewind();
        assert!(batch.bytes.is_empty());
    }

    #[test]
    fn what_is_acknowledged_is_released_by_whole_batches() {
        let mut ledger = Ledger::default();
        ledger.give(100, [1, 10]);
        ledger.give(50, [2, 20]);
        assert_eq!(ledger.acknowledge(&99u64.to_le_bytes()), None);
        assert_eq!(ledger.acknowledge(&149u64.to_le_bytes()), Some([1, 10]));
        let said = 150u64.to_le_bytes();
        assert_eq!(ledger.acknowledge(&said[..3]), None);
        assert_eq!(ledger.acknowledge(&said[3..]), Some([2, 20]));
        assert!(ledger.given.is_empty());
    }

    #[test]
    fn a_full_batch_asks_the_ring_to_stop() {
        let mut batch = Batch { bytes: vec![0; BATCH_BYTES - 40], ..Batch::default() };
        assert_eq!(batch.take(&record(40, 40)), Appetite::Enough);
        assert!(batch.bytes.len() <= 256 << 10);
    }
}
