//! Reading files whose size nobody vouches for.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// Reads all of a file of at most `most` bytes as UTF-8; `what` is what the file is, such as "key file".
///
/// Never more than `most` bytes are held, whatever the file says of its own size. The buffer is wiped when dropped.
pub(crate) fn read_text(path: &Path, what: &str, most: usize) -> Result<Zeroizing<String>> {
    text(read_bytes(path, what, most)?, path, what)
}

/// Takes bytes that were read from a file as UTF-8.
pub(crate) fn text(mut bytes: Zeroizing<Vec<u8>>, path: &Path, what: &str) -> Result<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(Error::new(ErrorKind::Corrupt, format!("the {what} is not UTF-8 text")).with_file(path))
        }
    }
}

/// Reads all of a file of at most `most` bytes, which need not be text.
pub(crate) fn read_bytes(path: &Path, what: &str, most: usize) -> Result<Zeroizing<Vec<u8>>> {
    read_opened(open(path, what)?, path, what, most)
}

/// Opens a file to read it.
pub(crate) fn open(path: &Path, what: &str) -> Result<File> {
    File::open(path).map_err(|error| Error::io(format!("cannot read the {what} {}", path.display()), error))
}

/// Reads all of an open file of at most `most` bytes.
pub(crate) fn read_opened(file: File, path: &Path, what: &str, most: usize) -> Result<Zeroizing<Vec<u8>>> {
    let io = |error| Error::io(format!("cannot read the {what} {}", path.display()), error);
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("the {what} is a directory")).with_file(path));
    }
    let too_large = || Error::new(ErrorKind::Limit, format!("the {what} is larger than {most} bytes")).with_file(path);
    if metadata.len() > most as u64 {
        return Err(too_large());
    }
    // Room for the file and the byte that tells it has grown, so the buffer never moves. A pipe does not say its size.
    let expected = if metadata.is_file() { usize::try_from(metadata.len()).map_err(|_| too_large())? } else { most };
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() > most {
        return Err(too_large());
    }
    Ok(bytes)
}
