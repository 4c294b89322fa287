//! The thread that carries records from the rings to the subscriber: critical ones first, in batches, as fast as the subscriber reads and
//! no faster. What it does not consume stays in the ring; when a ring is full the kernel counts what it loses. Nothing is dropped here
//! in silence, and no memory is allocated per record.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use libbpf_rs::{MapHandle, RingBuffer, RingBufferBuilder};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use crate::abi;
use crate::caps::Kept;
use crate::exempt_learner::ExemptLearner;
use crate::frame::u32_at;
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
    /// The one reader, from now on.
    Subscriber(UnixStream),
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
struct Batch {
    bytes: Vec<u8>,
    sent: usize,
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
    }

    /// For a new reader: begins again with the record that the last one got a part of.
    fn rewind(&mut self) {
        let mut start = 0;
        while let Some(length) = u32_at(&self.bytes, start).map(|length| length as usize) {
            if length == 0 || start + length > self.sent {
                break;
            }
            start += length;
        }
        self.sent = start;
    }

    /// Takes a record; negative: no more, please.
    fn take(&mut self, record: &[u8]) -> i32 {
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
        if self.is_full() { -libc::ENOBUFS } else { 0 }
    }
}

struct Rings {
    critical: RingBuffer<'static>,
    telemetry: RingBuffer<'static>,
    /// Readable when a critical record came.
    epoll: OwnedFd,
}

struct Carrier {
    inbox: Receiver<Command>,
    bell: Arc<EventFd>,
    blocked: Arc<AtomicBool>,
    rings: Option<Rings>,
    subscriber: Option<UnixStream>,
    batch: Rc<RefCell<Batch>>,
    queued: VecDeque<Vec<u8>>,
    pause: Duration,
    reported_malformed: u64,
}

impl Carrier {
    fn new(inbox: Receiver<Command>, bell: Arc<EventFd>, blocked: Arc<AtomicBool>) -> Self {
        let bytes = Vec::with_capacity(BATCH_BYTES + abi::RECORD_MAX);
        let batch = Rc::new(RefCell::new(Batch { bytes, sent: 0, malformed: 0, learner: None }));
        Self { inbox, bell, blocked, rings: None, subscriber: None, batch, queued: VecDeque::new(), pause: QUICK, reported_malformed: 0 }
    }

    fn run(mut self) {
        loop {
            self.wait();
            let _ = self.bell.read();
            while let Ok(command) = self.inbox.try_recv() {
                self.obey(command);
            }
            if self.subscriber.is_some() {
                self.carry();
            }
            let waits = self.subscriber.is_none() || !self.batch.borrow().is_empty();
            self.blocked.store(waits, Ordering::Relaxed);
            self.report_malformed();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Rings { critical, telemetry } => match self.open(&critical, &telemetry) {
                Ok(rings) => self.rings = Some(rings),
                Err(error) => say!("events: cannot map the rings: {error:#}"),
            },
            Command::Release(done) => {
                self.rings = None;
                self.batch.borrow_mut().learner = None;
                let _ = done.send(());
            }
            Command::Subscriber(stream) => {
                self.batch.borrow_mut().rewind();
                self.subscriber = stream.set_nonblocking(true).is_ok().then_some(stream);
            }
            Command::Learn(learner) => self.batch.borrow_mut().learner = Some(learner),
            Command::Queue(records) => self.queue(records),
        }
    }

    fn open(&self, critical: &MapHandle, telemetry: &MapHandle) -> libbpf_rs::Result<Rings> {
        let ring = |map: &MapHandle| {
            let batch = Rc::clone(&self.batch);
            let mut builder = RingBufferBuilder::new();
            builder.add(map, move |record: &[u8]| batch.try_borrow_mut().map_or(0, |mut batch| batch.take(record)))?;
            builder.build()
        };
        let (critical, telemetry) = (ring(critical)?, ring(telemetry)?);
        let epoll = crate::sys::borrowed(critical.epoll_fd(), |fd| fd.try_clone_to_owned().ok());
        let epoll = epoll.ok_or_else(|| libbpf_rs::Error::from_raw_os_error(libc::EMFILE))?;
        Ok(Rings { critical, telemetry, epoll })
    }

    /// What nobody fetches is bounded: the oldest goes, and that is said.
    fn queue(&mut self, records: Vec<u8>) {
        self.queued.push_back(records);
        while self.queued.iter().map(Vec::len).sum::<usize>() > MOST_QUEUED_BYTES {
            let dropped = self.queued.pop_front().map_or(0, |records| records.len());
            say!("events: {dropped} bytes of the loader's own records were not fetched and are dropped");
        }
    }

    /// Sleeps until there may be something to do.
    fn wait(&self) {
        let mut polled = vec![PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)];
        let blocked = !self.batch.borrow().is_empty();
        if let Some(subscriber) = &self.subscriber {
            let interest = if blocked { PollFlags::POLLOUT } else { PollFlags::POLLIN };
            polled.push(PollFd::new(subscriber.as_fd(), interest));
        }
        let epoll = match &self.rings {
            Some(rings) if self.subscriber.is_some() && !blocked => Some(&rings.epoll),
            _ => None,
        };
        if let Some(epoll) = epoll {
            polled.push(PollFd::new(epoll.as_fd(), PollFlags::POLLIN));
        }
        let drains = self.subscriber.is_some() && self.rings.is_some() && !blocked;
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
            self.batch.borrow_mut().clear();
            if let Some(records) = self.queued.pop_front() {
                self.batch.borrow_mut().bytes.extend_from_slice(&records);
                continue;
            }
            let Some(rings) = &self.rings else { return };
            rings.critical.consume_raw();
            if !self.batch.borrow().is_full() {
                rings.telemetry.consume_raw();
            }
            if self.batch.borrow().is_empty() {
                break;
            }
            carried = true;
        }
        self.pause = if carried { QUICK } else { (self.pause * 2).min(SLOW) };
        self.notice_hangup();
    }

    /// True when everything is written. A subscriber that went away is forgotten; batch and rings then keep what they hold.
    fn flush(&mut self) -> bool {
        let Some(subscriber) = &mut self.subscriber else { return false };
        let mut batch = self.batch.borrow_mut();
        while !batch.is_empty() {
            let rest = batch.bytes.get(batch.sent..).unwrap_or_default();
            match subscriber.write(rest) {
                Ok(0) => break,
                Ok(written) => batch.sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let done = batch.is_empty();
        drop(batch);
        if !done {
            self.subscriber = None;
        }
        done
    }

    /// A subscriber says nothing: what can be read is its end.
    fn notice_hangup(&mut self) {
        let Some(subscriber) = &self.subscriber else { return };
        let mut byte = [0u8; 64];
        let ended = match io::Read::read(&mut &*subscriber, &mut byte) {
            Ok(count) => count == 0,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        };
        if ended {
            self.subscriber = None;
        }
    }

    fn report_malformed(&mut self) {
        let malformed = self.batch.borrow().malformed;
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
        let mut batch = Batch { bytes: Vec::new(), sent: 0, malformed: 0, learner: None };
        assert_eq!(batch.take(&record(40, 48)), 0);
        assert_eq!(batch.bytes.len(), 40);
    }

    #[test]
    fn a_record_that_lies_about_its_length_is_left_out_and_counted() {
        let mut batch = Batch { bytes: Vec::new(), sent: 0, malformed: 0, learner: None };
        for bad in [record(0, 40), record(44, 48), record(64, 48), record(40_000, 40_000)] {
            batch.take(&bad);
        }
        batch.take(&[1, 2]);
        assert_eq!((batch.bytes.len(), batch.malformed), (0, 5));
    }

    #[test]
    fn a_new_reader_gets_the_record_that_the_last_one_got_half_of() {
        let mut batch = Batch { bytes: Vec::new(), sent: 0, malformed: 0, learner: None };
        for _ in 0..3 {
            batch.take(&record(40, 40));
        }
        for (sent, start) in [(0, 0), (39, 0), (40, 40), (79, 40), (120, 120)] {
            batch.sent = sent;
            batch.rewind();
            assert_eq!(batch.sent, start);
        }
    }

    #[test]
    fn a_full_batch_asks_the_ring_to_stop() {
        let mut batch = Batch { bytes: vec![0; BATCH_BYTES - 40], sent: 0, malformed: 0, learner: None };
        assert!(batch.take(&record(40, 40)) < 0);
        assert!(batch.bytes.len() <= 256 << 10);
    }
}
