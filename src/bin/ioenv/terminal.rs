//! What a person reads and types.

use std::error::Error;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ioenv::{SecretString, VarName, Variable};
use zeroize::Zeroizing;

use crate::prompt::Prompt;
use crate::result::Result;

/// What stands for a value, whatever its length.
pub(crate) const MASK: &str = "••••••";

const HEADER: Style = Style::new().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// The bytes that are read of a file or of stdin at most.
const MAX_INPUT_BYTES: usize = 16 * 1024 * 1024;

pub(crate) fn error(error: &(dyn Error + 'static)) {
    // Nothing can be done about a stderr that is closed.
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = writeln!(anstream::stderr(), "  caused by: {error}");
        cause = error.source();
    }
}

pub(crate) fn warning(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {text}");
}

pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints a token or a key that was just made, alone on its line, so that it can be piped to where it is kept. Nothing
/// else prints one.
pub(crate) fn credential(credential: &str) -> Result {
    write_credential(credential, "", "\n")
}

/// Prints what is no credential as it is, at once.
pub(crate) fn write_raw(text: &str) -> Result {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// The same inside of a line.
pub(crate) fn write_credential(credential: &str, before: &str, after: &str) -> Result {
    let mut out = io::stdout().lock();
    // Made in one piece, and wiped: `write!` would leave parts of it in a buffer.
    let line = Zeroizing::new([before, credential, after].concat());
    out.write_all(line.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints columns under a header, each as wide as its widest cell.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> Result {
    let mut widths = header.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut out = anstream::stdout().lock();
    writeln!(out, "{HEADER}{}{HEADER:#}", line(header))?;
    for row in rows {
        writeln!(out, "{}", line(row.each_ref().map(String::as_str)))?;
    }
    Ok(())
}

/// A value as a table shows it: masked unless it may be seen, and never able to move the cursor.
pub(crate) fn shown(variable: Variable<'_>, show_secrets: bool) -> String {
    if show_secrets || variable.is_public() { printable(variable.value().expose_secret()) } else { MASK.to_owned() }
}

pub(crate) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        // Marks that turn the direction of text could make a value read as another one.
        if character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// The value of a variable, typed without being seen, or all of stdin less one line end.
pub(crate) fn read_value(name: &VarName) -> Result<SecretString> {
    let value = read_hidden(&format!("Value of {name} (hidden): "), &format!("the value of {name} on stdin"))?;
    // What fed the pipe may have failed.
    if value.expose_secret().is_empty() {
        return Err(
            format!("the value is empty, so {name} was not changed; `ioenv set {name} ''` sets an empty one").into()
        );
    }
    Ok(value)
}

/// Returns whether something is piped into stdin, or redirected, that nobody has read. A pipe that stays open and silent,
/// as under `ssh`, has nothing.
pub(crate) fn has_input() -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);

    if io::stdin().is_terminal() || is_device() {
        return false;
    }
    // A read cannot be given a deadline. The thread ends with the program.
    let (found, finding) = mpsc::channel();
    thread::spawn(move || found.send(io::stdin().lock().read(&mut [0]).is_ok_and(|count| count > 0)));
    finding.recv_timeout(PATIENCE).unwrap_or(false)
}

/// Returns whether stdin is a device, such as `/dev/null`.
#[cfg(unix)]
fn is_device() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin.and_then(|stdin| stdin.metadata()).is_ok_and(|metadata| metadata.file_type().is_char_device())
}

#[cfg(not(unix))]
fn is_device() -> bool {
    false
}

/// The token of another service, likewise.
pub(crate) fn read_service_token() -> Result<SecretString> {
    read_hidden("Token of the service (hidden): ", "the token of the service on stdin")
}

/// The code of an invitation, likewise.
pub(crate) fn read_invitation() -> Result<SecretString> {
    read_hidden("Code of the invitation (hidden): ", "the code of the invitation on stdin")
}

fn read_hidden(text: &str, what: &str) -> Result<SecretString> {
    if io::stdin().is_terminal() {
        let mut prompt = Prompt::open()?;
        let line = prompt.line(text)?;
        prompt.finish("the value")?;
        return Ok(line);
    }
    let text = read_utf8(io::stdin().lock(), what)?;
    let text = text.expose_secret();
    Ok(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)).into())
}

/// A passphrase, typed twice on a terminal; else all of stdin.
pub(crate) fn read_passphrase() -> Result<SecretString> {
    if !io::stdin().is_terminal() {
        return read_utf8(io::stdin().lock(), "stdin");
    }
    let mut prompt = Prompt::open()?;
    let first = prompt.line("Passphrase (hidden): ")?;
    let second = prompt.line("The same again: ")?;
    prompt.finish("the passphrase")?;
    if first.expose_secret() != second.expose_secret() {
        return Err("the two passphrases differ; nothing was changed".into());
    }
    Ok(first)
}

/// A dotenv file; `-` is stdin.
pub(crate) fn read_file(path: &Path) -> Result<SecretString> {
    if path == Path::new("-") {
        return read_utf8(io::stdin().lock(), "stdin");
    }
    let file = File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    read_utf8(file, &path.display().to_string())
}

/// Adds bytes to what was read so far.
pub(crate) fn push(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8], what: &str) -> Result {
    if bytes.len() + more.len() > MAX_INPUT_BYTES {
        return Err(format!("{what} is larger than 16 MiB").into());
    }
    if bytes.capacity() - bytes.len() < more.len() {
        // Growing in place would leave a copy behind that nobody wipes.
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * (bytes.len() + more.len())));
        larger.extend_from_slice(bytes);
        *bytes = larger;
    }
    bytes.extend_from_slice(more);
    Ok(())
}

fn read_utf8(mut input: impl Read, what: &str) -> Result<SecretString> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut chunk = Zeroizing::new([0; 8 * 1024]);
    loop {
        let count = match input.read(chunk.as_mut_slice()) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("cannot read {what}: {error}").into()),
        };
        push(&mut bytes, &chunk[..count], what)?;
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(format!("{what} is not UTF-8 text").into()),
    }
}
