//! Lines that a person types, or pastes, without seeing them.

use std::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;

use ioenv::SecretString;
use nix::sys::termios::{InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use zeroize::Zeroizing;

use crate::result::Result;
use crate::terminal;

/// Asks a terminal to put marks around what is pasted, and not to any more (xterm, "Bracketed Paste Mode").
const MARK_PASTES: &str = "\x1b[?2004h";
const MARK_NO_PASTES: &str = "\x1b[?2004l";
/// How a pasted text ends.
const END_OF_PASTE: &[u8] = b"\x1b[201~";
/// How long there must be no input before the rest counts as read, in tenths of a second.
const SILENCE: u8 = 1;
/// The exit code of a program that Ctrl-C ends, as shells tell it.
const INTERRUPTED: i32 = 130;

/// The terminal on stdin, which shows nothing while this lives. It hands over each byte as it comes: a line that it edits
/// itself is 4095 bytes long at most.
pub(crate) struct Prompt {
    input: File,
    output: Box<dyn io::Write>,
    before: Termios,
    marks: bool,
}

impl Prompt {
    pub(crate) fn open() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let before = tcgetattr(&input)?;
        // The terminal that is typed into, wherever stderr goes.
        let output: Box<dyn io::Write> = match ttyname(&input).map(|name| OpenOptions::new().write(true).open(name)) {
            Ok(Ok(terminal)) => Box::new(terminal),
            _ => Box::new(io::stderr()),
        };
        let marks = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let mut prompt = Self { input, output, before, marks };
        prompt.wait(1, 0)?;
        if marks {
            prompt.write(MARK_PASTES)?;
        }
        Ok(prompt)
    }

    /// Sets how many bytes, or how many tenths of a second, a read waits for.
    fn wait(&self, bytes: u8, tenths: u8) -> io::Result<()> {
        let mut modes = self.before.clone();
        modes
            .local_flags
            .remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ICANON | LocalFlags::ISIG | LocalFlags::IEXTEN);
        modes.input_flags.remove(InputFlags::ICRNL | InputFlags::INLCR | InputFlags::IGNCR | InputFlags::IXON);
        modes.control_chars[SpecialCharacterIndices::VMIN as usize] = bytes;
        modes.control_chars[SpecialCharacterIndices::VTIME as usize] = tenths;
        Ok(tcsetattr(&self.input, SetArg::TCSANOW, &modes)?)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }

    /// Reads one line, or one paste with all its lines.
    pub(crate) fn line(&mut self, prompt: &str) -> Result<SecretString> {
        self.write(prompt)?;
        let mut line = Line::default();
        let mut byte = Zeroizing::new([0]);
        let end = loop {
            match self.input.read(byte.as_mut_slice()) {
                Ok(0) => return Err("the terminal was closed; nothing was changed".into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            }
            match line.take(byte[0]) {
                Ok(None) => {}
                Ok(Some(end)) => break end,
                Err(error) => return self.refuse(error),
            }
        };
        self.write("\r\n")?;
        if matches!(end, End::Interrupted) {
            drop(line);
            self.drain()?;
            self.restore();
            std::process::exit(INTERRUPTED);
        }
        line.text().or_else(|error| self.refuse(error))
    }

    /// Fails, and reads what is left: a shell would run it.
    fn refuse<T>(&mut self, error: Box<dyn Error>) -> Result<T> {
        self.drain()?;
        Err(error)
    }

    /// Reads what is left of a paste whose lines were not marked as one: a shell would run them. Warns, if there was more.
    pub(crate) fn finish(mut self, what: &str) -> Result {
        let is_more = self.drain()?;
        // Before anything is said: the warning is shown as usual.
        drop(self);
        if is_more {
            terminal::warning(format!(
                "more than one line came, and only the first one was taken as {what}; the rest was dropped. This terminal does \
                 not mark what is pasted: to give several lines, pipe them in"
            ));
        }
        Ok(())
    }

    /// Reads all that comes without a pause, and returns whether it was more than ends of lines.
    fn drain(&mut self) -> Result<bool> {
        self.wait(0, SILENCE)?;
        let mut chunk = Zeroizing::new([0; 1024]);
        let mut is_more = false;
        loop {
            match self.input.read(chunk.as_mut_slice()) {
                Ok(0) => break,
                // An end of line alone is that of the terminal, or of somebody impatient.
                Ok(count) => is_more |= chunk[..count].iter().any(|byte| !matches!(byte, b'\r' | b'\n')),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(is_more)
    }

    fn restore(&mut self) {
        // Nothing can be done about a terminal that is gone.
        if self.marks {
            let _ = self.write(MARK_NO_PASTES);
        }
        let _ = tcsetattr(&self.input, SetArg::TCSANOW, &self.before);
    }
}

impl Drop for Prompt {
    fn drop(&mut self) {
        self.restore();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Entered,
    Interrupted,
}

/// What was typed so far.
#[derive(Default)]
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    is_pasting: bool,
    /// Whether anything was pasted.
    has_paste: bool,
    /// A sequence that a key or a paste begins with, as far as it came.
    sequence: Option<Vec<u8>>,
}

impl Line {
    /// Takes one byte; tells whether the line ends with it.
    fn take(&mut self, byte: u8) -> Result<Option<End>> {
        const INTERRUPT: u8 = 3;
        const END_OF_INPUT: u8 = 4;
        const BACKSPACE: u8 = 8;
        const CLEAR: u8 = 21;
        const ESCAPE: u8 = 27;
        const DELETE: u8 = 127;

        // Also within a paste, whose end may never come.
        if byte == INTERRUPT {
            return Ok(Some(End::Interrupted));
        }
        if self.is_pasting {
            self.push(byte)?;
            if self.bytes.ends_with(END_OF_PASTE) {
                let length = self.bytes.len() - END_OF_PASTE.len();
                self.bytes.truncate(length);
                self.is_pasting = false;
            }
            return Ok(None);
        }
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(byte);
            // After `[` and `O`, what ends a sequence; a letter with Alt is one by itself.
            let is_complete = match sequence[..] {
                [b'[' | b'O'] => false,
                [_] => true,
                _ => matches!(byte, 0x40..=0x7e),
            };
            if sequence == b"[200~" {
                (self.is_pasting, self.has_paste) = (true, true);
            } else if !is_complete && sequence.len() < 16 {
                self.sequence = Some(sequence);
            }
            return Ok(None);
        }
        match byte {
            b'\r' | b'\n' | END_OF_INPUT => return Ok(Some(End::Entered)),
            ESCAPE => self.sequence = Some(Vec::new()),
            // The character, with all its bytes.
            BACKSPACE | DELETE => while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            CLEAR => self.bytes.clear(),
            b'\t' | b' '.. => self.push(byte)?,
            _ => {}
        }
        Ok(None)
    }

    fn push(&mut self, byte: u8) -> Result {
        terminal::push(&mut self.bytes, &[byte], "what was typed")
    }

    /// The text, with line ends as in files. Of a paste one line end is cut off, as of what is piped in.
    fn text(self) -> Result<SecretString> {
        let text = std::str::from_utf8(&self.bytes).map_err(|_| "what was typed is not UTF-8 text")?;
        if !self.has_paste {
            return Ok(text.into());
        }
        // Terminals send each line end of a paste as that of the Enter key.
        let mut lines = Zeroizing::new(String::with_capacity(text.len()));
        let mut rest = text.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\r' => {
                    rest.next_if_eq(&'\n');
                    lines.push('\n');
                }
                other => lines.push(other),
            }
        }
        Ok(lines.strip_suffix('\n').unwrap_or(&lines).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &[u8]) -> (String, Option<End>) {
        let mut line = Line::default();
        let end = input.iter().find_map(|byte| line.take(*byte).unwrap());
        (line.text().unwrap().expose_secret().to_owned(), end)
    }

    #[test]
    fn a_line_ends_with_enter_and_can_be_corrected() {
        for (input, text) in [
            (&b"abc\r"[..], "abc"),
            (b"abc\n", "abc"),
            (b"abc\x04", "abc"),
            (b"ax\x7fbc\r", "abc"),
            ("a\u{e9}\u{1f511}\x7f\x08bc\r".as_bytes(), "abc"),
            (b"\x7f\x7fabc\r", "abc"),
            (b"wrong\x15abc\r", "abc"),
            // Arrows, a function key and a letter with Alt.
            (b"a\x1b[D\x1b[1;5Cb\x1bOP\x1bxc\r", "abc"),
        ] {
            assert_eq!(typed(input), (text.to_owned(), Some(End::Entered)), "{input:?}");
        }
        assert_eq!(typed(b"abc\x03").1, Some(End::Interrupted));
        assert_eq!(typed(b"abc").1, None);
    }

    #[test]
    fn a_paste_is_taken_as_a_whole() {
        for (input, text) in [
            (&b"\x1b[200~one\rtwo\r\x1b[201~\r"[..], "one\ntwo"),
            (b"\x1b[200~one\r\ntwo\r\n\r\n\x1b[201~\r", "one\ntwo\n"),
            (b"\x1b[200~one\ntwo\x1b[201~\r", "one\ntwo"),
            (b"a\x1b[200~\x1b[A\x15\x7f\x1b[201~b\r", "a\x1b[A\x15\x7fb"),
            (b"\x1b[200~a\x1b[201~\x1b[200~b\r\x1b[201~c\r", "ab\nc"),
        ] {
            assert_eq!(typed(input), (text.to_owned(), Some(End::Entered)), "{input:?}");
        }
        assert_eq!(typed(b"\x1b[200~one\rtwo\r").1, None);
        assert_eq!(typed(b"\x1b[200~one\x03").1, Some(End::Interrupted));
    }
}
