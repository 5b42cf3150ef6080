//! stashbase, as its clients know it.
