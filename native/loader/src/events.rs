//! The thread that carries records from the rings to the subscriber: critical ones first, in batches, as fast as the subscriber reads and
//! no faster. A record stays in its ring until the subscriber has said that it is done with it, so that neither the death of this process
//! nor that of the subscriber loses any, while no more than half of its ring waits for that (`ledger`); when a ring is full the kernel counts
//! what it loses. Records of the loader's own making are in its memory only. Nothing is dropped here in silence, and no memory is allocated
//! per record.

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

use crate::batch::Batch;
use crate::caps::Kept;
use crate::exempt_learner::ExemptLearner;
use crate::ledger::{Held as _, Ledger, RINGS};
use crate::ring::Ring;
use crate::say::say;

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

struct Reader {
    stream: UnixStream,
    /// None: what it was given is done with.
    ledger: Option<Ledger>,
}

struct Carrier {
    inbox: Receiver<Command>,
    bell: Arc<EventFd>,
    blocked: Arc<AtomicBool>,
    /// The critical one first.
    rings: Option<[Ring; RINGS]>,
    reader: Option<Reader>,
    batch: Batch,
    queued: VecDeque<Vec<u8>>,
    pause: Duration,
    reported_malformed: u64,
}

impl Carrier {
    fn new(inbox: Receiver<Command>, bell: Arc<EventFd>, blocked: Arc<AtomicBool>) -> Self {
        let batch = Batch::with_room();
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
                    (Ok(critical), Ok(telemetry)) => self.rings = Some([critical, telemetry]),
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
                self.rings.iter_mut().flatten().for_each(Ring::rewind);
                let ledger = acknowledges.then(Ledger::default);
                self.reader = stream.set_nonblocking(true).is_ok().then_some(Reader { stream, ledger });
            }
            Command::Learn(learner) => self.batch.learner = Some(learner),
            Command::Queue(records) => self.queue(records),
        }
    }

    fn let_go(&mut self) {
        self.rings = None;
        if let Some(ledger) = self.reader.as_mut().and_then(|reader| reader.ledger.as_mut()) {
            ledger.forget_rings();
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
            // What a slow reader acknowledges is room for the kernel, now more than ever.
            let interest = if blocked { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN };
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
            self.listen();
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
            for ring in rings {
                if !batch.is_full() {
                    ring.read(|record| batch.take(record));
                }
            }
            if batch.is_empty() {
                break;
            }
            carried = true;
        }
        self.pause = if carried { QUICK } else { (self.pause * 2).min(SLOW) };
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

    /// The batch is the subscriber's now.
    fn given(&mut self) {
        let bytes = self.batch.bytes.len();
        match self.reader.as_mut().map(|reader| &mut reader.ledger) {
            Some(Some(ledger)) => ledger.give(bytes, self.rings.as_mut()),
            Some(None) => {
                for ring in self.rings.iter_mut().flatten() {
                    ring.release(ring.position());
                }
            }
            None => {}
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
                    if let Some(ledger) = &mut reader.ledger {
                        ledger.acknowledge(said, self.rings.as_mut());
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
    use std::io::Read as _;

    use super::*;

    #[test]
    fn acknowledgements_are_read_while_the_subscriber_takes_nothing_more() {
        let bell = Arc::new(EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).unwrap());
        let (commands, inbox) = channel();
        let (stream, mut subscriber) = UnixStream::pair().unwrap();
        commands.send(Command::Subscriber { stream, acknowledges: true }).unwrap();
        commands.send(Command::Queue(vec![0; 8 << 20])).unwrap();
        bell.write(1).unwrap();
        let carrier = Carrier::new(inbox, bell, Arc::new(AtomicBool::new(true)));
        thread::spawn(move || carrier.run());

        // The first byte is here: from now on the loader is writing, and soon it cannot.
        subscriber.read_exact(&mut [0]).unwrap();
        // More than the socket holds: it only goes through when it is read at the other end.
        subscriber.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        subscriber.write_all(&vec![0; 4 << 20]).unwrap();
    }
}
