//! The socket: who may connect, which connection is which, requests in, answers out.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{getsockopt, sockopt};
use nix::sys::stat::{Mode, umask};

use crate::dispatch::{self, Peer};
use crate::engine::Engine;
use crate::events::Command;
use crate::frame::{Answer, Frame, frame_length, parse_header};
use crate::result::{Failure, Outcome, Stage, io_at, nix_at};
use crate::say::say;
use crate::wire::{op, tag};

/// Connections that have not said yet which they are.
const MOST_WAITING: usize = 8;
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
const TICK_MS: u16 = 1000;
const READ_BYTES: usize = 64 << 10;

struct Connection {
    stream: UnixStream,
    peer: Peer,
    received: Vec<u8>,
}

/// What became of reading from a connection.
enum Reading {
    Open,
    Ended,
}

impl Connection {
    /// Reads what is there, at most one buffer: the others get their turn.
    fn read(&mut self) -> Reading {
        let mut buffer = [0u8; READ_BYTES];
        match self.stream.read(&mut buffer) {
            Ok(0) => Reading::Ended,
            Ok(count) => {
                self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
                Reading::Open
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Reading::Open,
            Err(_) => Reading::Ended,
        }
    }

    /// The next whole frame. Err: the stream makes no sense any more.
    fn frame(&mut self) -> Outcome<Option<Vec<u8>>> {
        let Some(length) = frame_length(&self.received)? else { return Ok(None) };
        let rest = self.received.split_off(length);
        Ok(Some(std::mem::replace(&mut self.received, rest)))
    }

    /// Answers are written whole: the peer waits for nothing else.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        self.stream.write_all(bytes)?;
        self.stream.set_nonblocking(true)
    }
}

pub struct Server {
    listener: UnixListener,
    signals: SignalFd,
    peer_uids: Vec<u32>,
    control: Option<Connection>,
    waiting: Vec<Connection>,
}

/// Blocks the signals that end us, for every thread that is started afterwards.
pub fn take_signals() -> Outcome<SignalFd> {
    let mut ending = SigSet::empty();
    ending.add(Signal::SIGTERM);
    ending.add(Signal::SIGINT);
    ending.thread_block().map_err(nix_at(Stage::Open, "signals"))?;
    SignalFd::with_flags(&ending, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(nix_at(Stage::Open, "signalfd"))
}

impl Server {
    /// Replaces what a loader that was killed left of the socket; the lock says that nobody else listens there.
    pub fn listen(path: &Path, peer_uids: Vec<u32>, signals: SignalFd) -> Outcome<Self> {
        let open = || -> io::Result<UnixListener> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // Everyone may knock; SO_PEERCRED decides who gets in. A chown would need a capability that we do not have, and a chmod would
            // follow whatever the agent, whose folder this is too, has put there meanwhile.
            let before = umask(Mode::from_bits_truncate(0o111));
            let bound = UnixListener::bind(path);
            umask(before);
            let listener = bound?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = open().map_err(io_at(Stage::Open, "socket"))?;
        Ok(Self { listener, signals, peer_uids, control: None, waiting: Vec::new() })
    }

    /// Serves until a signal ends it. Pins stay: enforcement goes on.
    pub fn run(&mut self, engine: &mut Engine) {
        loop {
            self.wait();
            if matches!(self.signals.read_signal(), Ok(Some(_))) {
                return;
            }
            self.accept_all();
            self.serve_waiting(engine);
            self.serve_control(engine);
            crate::losses::report(engine);
            #[cfg(feature = "faults")]
            crate::faults::look();
        }
    }

    fn wait(&self) {
        let mut polled = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN), PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        let connections = self.control.iter().chain(&self.waiting);
        polled.extend(connections.map(|connection| PollFd::new(connection.stream.as_fd(), PollFlags::POLLIN)));
        let _ = poll(&mut polled, PollTimeout::from(TICK_MS));
    }

    fn accept_all(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            match self.admit(stream) {
                Ok(connection) => {
                    if self.waiting.len() >= MOST_WAITING {
                        say!("server: too many connections say nothing; the oldest is closed");
                        self.waiting.remove(0);
                    }
                    self.waiting.push(connection);
                }
                Err(why) => say!("server: connection refused: {why}"),
            }
        }
    }

    fn admit(&self, stream: UnixStream) -> Result<Connection, String> {
        let credentials = getsockopt(&stream, sockopt::PeerCredentials).map_err(|errno| errno.to_string())?;
        if !self.peer_uids.contains(&credentials.uid()) {
            return Err(format!("user {} is none of {:?}", credentials.uid(), self.peer_uids));
        }
        stream.set_nonblocking(true).map_err(|error| error.to_string())?;
        let pid = u32::try_from(credentials.pid()).unwrap_or(0);
        Ok(Connection { stream, peer: Peer { pid }, received: Vec::new() })
    }

    /// The first frame says what a connection is.
    fn serve_waiting(&mut self, engine: &mut Engine) {
        for mut connection in std::mem::take(&mut self.waiting) {
            let reading = connection.read();
            match (connection.frame(), reading) {
                (Ok(Some(frame)), _) => self.introduce(engine, connection, &frame),
                (Ok(None), Reading::Open) => self.waiting.push(connection),
                (Ok(None), Reading::Ended) => {}
                (Err(failure), _) => say!("server: {failure}"),
            }
        }
    }

    fn introduce(&mut self, engine: &mut Engine, mut connection: Connection, frame: &[u8]) {
        let is_events = parse_header(frame).is_ok_and(|header| header.op == op::EVENTS);
        if is_events {
            subscribe(engine, connection, frame);
            return;
        }
        if serve_frame(engine, &mut connection, frame) {
            // A newer control connection replaces the older one.
            self.control = Some(connection);
        }
    }

    fn serve_control(&mut self, engine: &mut Engine) {
        let Some(mut connection) = self.control.take() else { return };
        let reading = connection.read();
        loop {
            match connection.frame() {
                Ok(Some(frame)) => {
                    if !serve_frame(engine, &mut connection, &frame) {
                        return;
                    }
                }
                Ok(None) => break,
                Err(failure) => {
                    say!("server: {failure}");
                    return;
                }
            }
        }
        if matches!(reading, Reading::Open) {
            self.control = Some(connection);
        }
    }
}

/// False when the peer does not take the answer.
fn serve_frame(engine: &mut Engine, connection: &mut Connection, frame: &[u8]) -> bool {
    let Ok(header) = parse_header(frame) else { return false };
    let answer = dispatch::answer(engine, connection.peer, header, frame);
    match connection.write(&answer) {
        Ok(()) => true,
        Err(error) => {
            say!("server: answer to op {}: {error}", header.op);
            false
        }
    }
}

fn subscribe(engine: &mut Engine, mut connection: Connection, frame: &[u8]) {
    let Ok(header) = parse_header(frame) else { return };
    let ready = engine.node().map(|_| ()).and_then(|()| wants_to_acknowledge(frame));
    let extra = (!connection.received.is_empty()).then(|| Failure::parse("nothing may follow EVENTS"));
    let ready = extra.map_or(ready, Err);
    let written = connection.write(&Answer::default().encode(header, ready.as_ref().err()));
    if let (Ok(()), Ok(acknowledges)) = (written, ready) {
        engine.events.send(Command::Subscriber { stream: connection.stream, acknowledges });
    }
}

fn wants_to_acknowledge(frame: &[u8]) -> Outcome<bool> {
    let frame = Frame::parse(frame)?;
    frame.expect(&[tag::ACKNOWLEDGE], &[])?;
    let wishes = frame.all(tag::ACKNOWLEDGE).next();
    wishes.map_or(Ok(false), |_| frame.u32(tag::ACKNOWLEDGE).map(|wish| wish == 1))
}
