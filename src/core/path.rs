use std::sync::Arc;

use super::name::{Slug, is_slug, parsed_text};
use crate::error::{Error, ErrorKind, Result};

/// Where a level stands: `project[/target][/environment]`, one to three segments, each a [`Slug`].
///
/// A level inherits from the levels at the prefixes of its path, so nothing needs to know whether `acme-store/dev` is
/// a target or an environment that sits directly under its project.
///
/// ```
/// # fn main() -> Result<(), ioenv::Error> {
/// let path: ioenv::LevelPath = "acme-store/backend/production".parse()?;
/// let chain: Vec<String> = path.chain().map(|level| level.to_string()).collect();
/// assert_eq!(chain, ["acme-store", "acme-store/backend", "acme-store/backend/production"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelPath {
    text: Arc<str>,
}

impl LevelPath {
    /// Most segments a path has.
    pub const MAX_SEGMENTS: usize = 3;

    /// Reads a path.
    ///
    /// # Errors
    /// `InvalidName`, for an empty segment, a fourth one, a segment that is no slug, or surrounding spaces or slashes.
    pub fn new(text: &str) -> Result<Self> {
        let mut count = 0;
        for segment in text.split('/') {
            count += 1;
            if count > Self::MAX_SEGMENTS {
                return Err(invalid("it has more than three segments"));
            }
            if segment.is_empty() {
                return Err(invalid("a segment is empty"));
            }
            if !is_slug(segment) {
                return Err(invalid("a segment is not 1 to 100 of A-Z, a-z, 0-9, _ and -"));
            }
        }
        Ok(Self { text: text.into() })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first segment.
    pub fn project(&self) -> &str {
        self.segments().next().unwrap_or_default()
    }

    /// The segments, broad to specific.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.text.split('/')
    }

    /// The path without its last segment; a project has none.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.text.rsplit_once('/')?;
        Some(Self { text: parent.into() })
    }

    /// Returns the level at a path below this one: one segment, or two below a project.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// let project: ioenv::LevelPath = "acme-store".parse()?;
    /// assert_eq!(project.join("backend")?.join("production")?, project.join("backend/production")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidName`, as for [`new`](Self::new).
    pub fn join(&self, below: &str) -> Result<Self> {
        Self::new(&format!("{}/{below}", self.text))
    }

    /// The levels this one inherits from and itself, broad to specific.
    pub fn chain(&self) -> impl Iterator<Item = Self> {
        let ends = self.text.match_indices('/').map(|(at, _)| at);
        ends.chain([self.text.len()]).map(|end| Self { text: self.text[..end].into() })
    }
}

#[cold]
fn invalid(rule: &str) -> Error {
    Error::new(
        ErrorKind::InvalidName,
        format!("this is not the path of a level: {rule}; write it as project/target/environment"),
    )
}

impl Error {
    /// Adds the level that the error is about, which is shown before the text. A level that was added before stays: it
    /// is the more specific one.
    ///
    /// ```
    /// # fn main() -> Result<(), ioenv::Error> {
    /// use ioenv::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::NotFound, "there is no such level").with_path(&"acme-store/dev".parse()?);
    /// assert_eq!(error.to_string(), "acme-store/dev: there is no such level");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    #[cold]
    pub fn with_path(self, path: &LevelPath) -> Self {
        self.with_path_text(&path.text)
    }

    /// Returns the level the error is about.
    pub fn path(&self) -> Option<LevelPath> {
        self.path_text().map(|text| LevelPath { text: Arc::clone(text) })
    }
}

impl From<&Slug> for LevelPath {
    fn from(project: &Slug) -> Self {
        Self { text: project.as_str().into() }
    }
}

parsed_text!(LevelPath);

super::serde_text::serde_text!(LevelPath, "the path of a level");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_to_three_slugs() {
        for good in ["a", "a/b", "a/b/c", "_base", "A/b_c/d-e"] {
            let path = LevelPath::new(good).unwrap();
            assert_eq!(path.as_str(), good);
            assert_eq!(path.segments().count(), path.chain().count());
        }
        for bad in ["", "/", "a/", "/a", "a//c", "a/b/c/d", " a", "a ", "a/b c", "a/../b"] {
            assert_eq!(LevelPath::new(bad).unwrap_err().kind(), ErrorKind::InvalidName, "{bad:?}");
        }
    }

    #[test]
    fn parent_and_project() {
        let path = LevelPath::new("a/b/c").unwrap();
        assert_eq!(path.project(), "a");
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(LevelPath::new("a").unwrap().parent(), None);
    }

    #[test]
    fn joins_what_makes_a_path_together() {
        let project = LevelPath::new("a").unwrap();
        assert_eq!(project.join("b").unwrap().join("c").unwrap(), LevelPath::new("a/b/c").unwrap());
        assert_eq!(project.join("b/c").unwrap().as_str(), "a/b/c");
        for bad in ["", "/b", "b/", "b/c/d", "..", "b c"] {
            assert_eq!(project.join(bad).unwrap_err().kind(), ErrorKind::InvalidName, "{bad:?}");
        }
        assert!(LevelPath::new("a/b/c").unwrap().join("d").is_err());
    }
}
