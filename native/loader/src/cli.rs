//! The command line (docs/loader-protocol.md §6).

use std::path::PathBuf;

pub const USAGE: &str = "palisade-loader serve [--socket PATH] [--bpffs DIR] [--state DIR] [--peer-uid N]… \
[--ring-critical BYTES] [--ring-telemetry BYTES] [--no-drop]
palisade-loader record [--bpffs DIR] [--config FILE] [--module NAME]…
palisade-loader probe [--bpffs DIR] | purge [--bpffs DIR] | supervise -- COMMAND… | abi";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub socket: PathBuf,
    /// Where bpffs is mounted; our pins are in `palisade` below it.
    pub bpffs: PathBuf,
    /// Lock and journal.
    pub state: PathBuf,
    /// Users that may connect.
    pub peer_uids: Vec<u32>,
    pub ring_critical_bytes: u32,
    pub ring_telemetry_bytes: u32,
    /// Keep all capabilities (for debugging).
    pub no_drop: bool,
    /// `record`: kernel modules whose types are recorded.
    pub modules: Vec<String>,
    /// `record`: the kernel's build configuration.
    pub config: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            socket: "/run/palisade/loader.sock".into(),
            bpffs: "/sys/fs/bpf".into(),
            state: "/var/lib/palisade/loader".into(),
            peer_uids: Vec::new(),
            ring_critical_bytes: 4 << 20,
            ring_telemetry_bytes: 16 << 20,
            no_drop: false,
            modules: Vec::new(),
            config: None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Serve(Options),
    Probe(Options),
    Record(Options),
    Purge(Options),
    Supervise(Vec<String>),
    Abi,
    /// `goes_on`: after a failure too.
    #[cfg(feature = "drive")]
    Drive {
        socket: PathBuf,
        file: PathBuf,
        goes_on: bool,
    },
}

const DEFAULT_PEER_UID: u32 = 65532;

pub fn parse(arguments: &[String]) -> Result<Command, String> {
    let (command, rest) = arguments.split_first().ok_or("no command given")?;
    match command.as_str() {
        "serve" => options(rest).map(Command::Serve),
        "probe" => options(rest).map(Command::Probe),
        "record" => options(rest).map(Command::Record),
        "purge" => options(rest).map(Command::Purge),
        "supervise" => match rest.split_first() {
            Some((dashes, child)) if dashes == "--" && !child.is_empty() => Ok(Command::Supervise(child.to_vec())),
            _ => Err("supervise needs -- and a command".to_owned()),
        },
        "abi" if rest.is_empty() => Ok(Command::Abi),
        #[cfg(feature = "drive")]
        "drive" => match rest {
            [socket, file] => Ok(Command::Drive { socket: socket.into(), file: file.into(), goes_on: false }),
            [socket, file, on] if on == "on" => Ok(Command::Drive { socket: socket.into(), file: file.into(), goes_on: true }),
            _ => Err("drive needs SOCKET and FILE, and perhaps the word on".to_owned()),
        },
        other => Err(format!("unknown command {other:?}")),
    }
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "--no-drop" {
            options.no_drop = true;
            continue;
        }
        let mut value = || rest.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--socket" => options.socket = value()?.into(),
            "--bpffs" => options.bpffs = value()?.into(),
            "--state" => options.state = value()?.into(),
            "--peer-uid" => options.peer_uids.push(number(name, value()?)?),
            "--module" => options.modules.push(value()?.clone()),
            "--config" => options.config = Some(value()?.into()),
            "--ring-critical" => options.ring_critical_bytes = ring_bytes(name, value()?)?,
            "--ring-telemetry" => options.ring_telemetry_bytes = ring_bytes(name, value()?)?,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    if options.peer_uids.is_empty() {
        options.peer_uids.push(DEFAULT_PEER_UID);
    }
    Ok(options)
}

fn number(name: &str, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{name} {text}: must be a number"))
}

/// The kernel wants a power of two of whole pages.
fn ring_bytes(name: &str, text: &str) -> Result<u32, String> {
    let bytes = number(name, text)?;
    if !bytes.is_power_of_two() || !(65_536..=1 << 30).contains(&bytes) {
        return Err(format!("{name} {text}: must be a power of two from 65536 to 1073741824"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Command, String> {
        parse(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_agents_user_is_the_only_one_that_may_connect_unless_others_are_named() {
        let Ok(Command::Serve(options)) = parse_text("serve") else { panic!() };
        assert_eq!(options.peer_uids, [65532]);
        let Ok(Command::Serve(options)) = parse_text("serve --peer-uid 0 --peer-uid 7") else { panic!() };
        assert_eq!(options.peer_uids, [0, 7]);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse_text("").unwrap_err(), "no command given");
        assert_eq!(parse_text("serve --ring-critical 5000").unwrap_err(), "--ring-critical 5000: must be a power of two from 65536 to 1073741824");
        assert_eq!(parse_text("serve --socket").unwrap_err(), "--socket needs a value");
        assert_eq!(parse_text("serve --nosuch x").unwrap_err(), "unknown option --nosuch");
        assert_eq!(parse_text("supervise sleep").unwrap_err(), "supervise needs -- and a command");
    }

    #[test]
    fn a_supervised_command_keeps_its_arguments() {
        assert_eq!(parse_text("supervise -- a -- b"), Ok(Command::Supervise(vec!["a".into(), "--".into(), "b".into()])));
    }
}
