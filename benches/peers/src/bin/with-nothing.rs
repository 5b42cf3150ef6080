//! What it costs to start a program at all.

fn main() {}
