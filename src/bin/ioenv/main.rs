//! The `ioenv` command.

fn main() {}
