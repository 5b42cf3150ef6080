/// Largest value of a variable, in bytes of UTF-8. Linux holds `NAME=value` to 128 KiB.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Largest document or sealed file, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;
