//! Optional arguments as optional fields.

/// Passes an argument to a setter, if it was given.
pub(crate) trait Given: Sized {
    /// Calls the setter with the argument, or leaves the field alone.
    fn given<T>(self, argument: Option<T>, setter: impl FnOnce(Self, T) -> Self) -> Self {
        match argument {
            Some(argument) => setter(self, argument),
            None => self,
        }
    }
}

impl<T> Given for T {}
