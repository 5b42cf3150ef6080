//! Dotenv text that ioenv and dotenvy read alike.

use std::fmt::Write as _;

use crate::random::Numbers;

const SUBJECTS: [&str; 12] = [
    "API", "AWS", "BILLING", "CACHE", "DATABASE", "FEATURE", "MAIL", "METRICS", "QUEUE", "SEARCH", "SESSION", "STORAGE",
];
const ASPECTS: [&str; 12] = [
    "ACCESS_KEY",
    "BUCKET",
    "CONNECTIONS",
    "ENABLED",
    "HOST",
    "LIMIT",
    "PASSWORD",
    "PORT",
    "REGION",
    "TIMEOUT_MS",
    "TOKEN",
    "URL",
];

/// A name such as `QUEUE_TIMEOUT_MS_17`; no two numbers give the same one.
pub fn name(numbers: &mut Numbers, number: usize) -> String {
    format!("{}_{}_{number}", numbers.pick(&SUBJECTS), numbers.pick(&ASPECTS))
}

/// A value that needs no quotes: a word, a number, a host, a URL or a key.
pub fn plain_value(numbers: &mut Numbers) -> String {
    match numbers.draw() % 6 {
        0 => numbers.pick(&["true", "false", "info", "production", "eu-central-1", "acme-store-assets"]).to_owned(),
        1 => (numbers.draw() % 100_000).to_string(),
        2 => format!("{}.internal.acme.example", numbers.hex(4)),
        3 => format!("postgres://app:{}@db-{}.acme.example:5432/store", numbers.hex(12), numbers.draw() % 10),
        4 => numbers.hex(20),
        _ => numbers.base64(30),
    }
}

/// Lines `NAME=value`, and nothing else.
pub fn plain(entries: usize) -> String {
    let mut numbers = Numbers::new(1);
    let mut text = String::new();
    for number in 0..entries {
        let (name, value) = (name(&mut numbers, number), plain_value(&mut numbers));
        writeln!(text, "{name}={value}").expect("invariant: a string takes all");
    }
    text
}

/// Every kind of entry that both read alike: of ten, one each.
pub fn mixed(entries: usize) -> String {
    let mut numbers = Numbers::new(2);
    let mut text = String::new();
    for number in 0..entries {
        let (name, value) = (name(&mut numbers, number), plain_value(&mut numbers));
        let written = match number % 10 {
            0 => writeln!(text, "{name}={value}"),
            1 => writeln!(text, "export {name}={value}"),
            2 => writeln!(text, "{name}='{value} # no comment, \"nor\" $HOME'"),
            3 => writeln!(text, r#"{name}="the \"{value}\" costs \$5 at C:\\shop""#),
            4 => writeln!(text, "\n# What the next one is for, in a sentence.\n{name}={value} # and an aside"),
            5 => writeln!(text, "{name} = {value}"),
            6 => writeln!(text, "{name}='-----BEGIN-----\n{}\n{}\n-----END-----'", numbers.hex(32), numbers.hex(32)),
            7 => writeln!(text, r#"{name}='{{"id": {number}, "tags": ["a", "b"], "key": "{value}"}}'"#),
            8 => writeln!(text, "{name}="),
            _ => writeln!(text, r#"{name}="first line\nsecond line with {value}\n""#),
        };
        written.expect("invariant: a string takes all");
    }
    text
}
