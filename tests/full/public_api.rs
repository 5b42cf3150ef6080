//! Checks that the public signatures of ioenv name no crate that may change under its users: none below 1.0, and none
//! of a runtime or of a transport.
//!
//! It reads what rustdoc writes as JSON, which is the compiler's own view of a signature:
//!
//! ```sh
//! RUSTC_BOOTSTRAP=1 cargo rustdoc -p ioenv --lib --features full,postgres -- -Z unstable-options --output-format json
//! cargo run -p ioenv-tests --features full --example public_api -- target/doc/ioenv.json
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::process::ExitCode;

use serde_json::Value;

/// The crates whose types may stand in a public signature.
const ALLOWED: &[&str] = &["alloc", "core", "ioenv", "secrecy", "serde", "serde_core", "std"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let file = std::env::args_os().nth(1).ok_or("name the JSON file that rustdoc wrote")?;
    let found = foreign(&serde_json::from_slice(&std::fs::read(file)?)?)?;
    for line in &found {
        println!("{line}");
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns a line for each public item and each type of a crate that is not allowed in its signature.
fn foreign(docs: &Value) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let items = docs["index"].as_object().ok_or("the file has no index: it is not what rustdoc writes")?;
    let mut found = BTreeSet::new();
    let mut checked = 0;
    for item in items.values().filter(|item| item["crate_id"] == 0) {
        // The compiler writes these by itself, for every type.
        let block = &item["inner"]["impl"];
        if block["is_synthetic"] == true || !block["blanket_impl"].is_null() {
            continue;
        }
        checked += 1;
        visit(&item["inner"], &mut |id| {
            let path = &docs["paths"][id.to_string()];
            let krate = &docs["external_crates"][path["crate_id"].to_string()]["name"];
            if let Some(krate) = krate.as_str().filter(|krate| !ALLOWED.contains(krate)) {
                let file = item["span"]["filename"].as_str().unwrap_or("?");
                let line = &item["span"]["begin"][0];
                let name = item["name"].as_str().unwrap_or("an impl");
                let kind = path["path"].as_array().and_then(|path| path.last()).and_then(Value::as_str).unwrap_or("?");
                found.insert(format!("{file}:{line}: {name} names {kind} of {krate}"));
            }
        });
    }
    if checked < 100 {
        return Err("the file has hardly any item: it is not that of ioenv".into());
    }
    Ok(found)
}

/// Calls `named` with the id of every type and trait that is named somewhere in a part of a signature.
fn visit(part: &Value, named: &mut impl FnMut(&Value)) {
    match part {
        Value::Object(members) => {
            if members.get("path").is_some_and(Value::is_string)
                && let Some(id) = members.get("id")
            {
                named(id);
            }
            members.values().for_each(|member| visit(member, named));
        }
        Value::Array(elements) => elements.iter().for_each(|element| visit(element, named)),
        _ => {}
    }
}
