//! Levels as a whole: the blob that anyone with the key can open, and the document in it.

mod blobs;
mod change;
mod delete;
mod document;
mod export;
mod resolve;
mod set_blob;
mod set_document;

pub use self::blobs::{Blob, Blobs};
pub(super) use self::change::Change;
pub(super) use self::delete::unconfirmed;
pub use self::export::Export;
pub use self::set_blob::NewBlob;
