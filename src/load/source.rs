use std::fmt::Debug;
use std::sync::Arc;

use crate::core::key_ring::KeyRing;
use crate::core::merge::Layer;
use crate::core::path::LevelPath;
use crate::error::Result;

/// Where a [`Configuration`](crate::Configuration) says that levels come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceKind {
    /// The sealed file.
    #[default]
    Sealed,
    /// A vault.
    Vault,
}

/// Where levels come from: a sealed file, a vault, or anything that can answer for a chain.
///
/// ```
/// use ioenv::{Document, ErrorKind, KeyRing, Layer, LevelPath, Loader, Result, Source};
///
/// #[derive(Debug)]
/// struct Fixed;
///
/// impl Source for Fixed {
///     fn layers(&self, path: &LevelPath, _keys: &KeyRing) -> Result<Vec<Layer>> {
///         Ok(vec![Layer::new(path.clone(), Document::parse("PORT=8080\n")?)])
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let env = Loader::new().source(Fixed).path("acme-store".parse()?).resolve()?;
/// assert_eq!(env.var("PORT")?.expose_secret(), "8080");
/// # Ok(())
/// # }
/// ```
pub trait Source: Debug + Send + Sync {
    /// The levels of the chain of `path` that exist, broad to specific.
    ///
    /// A loader calls this once, and drops the source before it looks at the number of running threads: whatever
    /// threads a source starts must end with it. It must not call [`load`](crate::load()) itself, which would wait for
    /// itself.
    ///
    /// # Errors
    /// `NotFound`, when the level at `path` itself is not there; whatever keeps a level of the chain from being read.
    /// A chain that can be read in part only is an error.
    fn layers(&self, path: &LevelPath, keys: &KeyRing) -> Result<Vec<Layer>>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn layers(&self, path: &LevelPath, keys: &KeyRing) -> Result<Vec<Layer>> {
        (**self).layers(path, keys)
    }
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn layers(&self, path: &LevelPath, keys: &KeyRing) -> Result<Vec<Layer>> {
        (**self).layers(path, keys)
    }
}
