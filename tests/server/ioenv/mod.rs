//! ioenv, as its clients know it.
