//! Words for people, on standard error and output. `eprintln!` ends the process when nobody listens any more, which must not unprotect a
//! node because an agent's end of a pipe was closed.

/// A line on standard error; nobody listening is no error.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

/// A line on standard output; nobody listening is no error.
macro_rules! print_line {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

pub(crate) use {print_line, say};
