use std::str::FromStr;

use std::io::Write as _;

use ioenv::vault::Timestamp;
use ioenv::{Error, ErrorKind};
use serde_json::{Map, Value};

use super::time::shown;
use crate::args::{ListFormat, ListingArgs};
use crate::result::Result;
use crate::terminal;

/// What stands where there is nothing.
pub(super) const NONE: &str = "-";

/// A list, as a table for people, or as JSON with the names of the columns.
pub(super) fn print<const N: usize>(listing: &ListingArgs, header: [&str; N], rows: &[[String; N]]) -> Result {
    match listing.format {
        ListFormat::Table => {
            let printable: Vec<[String; N]> =
                rows.iter().map(|row| row.each_ref().map(|cell| terminal::printable(cell))).collect();
            terminal::table(header, &printable)
        }
        ListFormat::Json => {
            let name = |header: &str| header.to_lowercase().replace(' ', "_");
            let cell = |cell: &String| if cell == NONE { Value::Null } else { Value::from(cell.as_str()) };
            let row = |row: &[String; N]| -> Map<String, Value> {
                header.iter().zip(row).map(|(header, text)| (name(header), cell(text))).collect()
            };
            let rows: Vec<Map<String, Value>> = rows.iter().map(row).collect();
            Ok(writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(&rows)?)?)
        }
    }
}

pub(super) fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| NONE.to_owned(), shown)
}

pub(super) fn text(text: Option<&str>) -> String {
    text.unwrap_or(NONE).to_owned()
}

/// What is meant by an id or by a name, in upper or lower case.
pub(super) fn find<'a, T, I: FromStr + PartialEq>(
    what: &str,
    all: &'a [T],
    typed: &str,
    id: impl Fn(&T) -> I,
    name: impl Fn(&T) -> &str,
) -> Result<&'a T> {
    let by_id = all.iter().find(|one| typed.parse().is_ok_and(|typed: I| typed == id(one)));
    let lower = typed.to_lowercase();
    let mut by_name = all.iter().filter(|one| name(one).to_lowercase() == lower);
    match (by_id, by_name.next(), by_name.next()) {
        (Some(found), _, _) | (None, Some(found), None) => Ok(found),
        (None, Some(_), Some(_)) => {
            Err(format!("there are several {what}s of that name: say the id that `list` shows").into())
        }
        (None, None, _) => {
            let message = format!("there is no such {what}: `list` shows which there are");
            Err(Error::new(ErrorKind::NotFound, message).into())
        }
    }
}
