//! Secrets, of the environment itself: the service knows of nothing that is inherited.

mod check;
mod read;
mod search;
mod write;

pub(super) use self::read::{compare, list, list_metadata, read, read_metadata};
pub(super) use self::search::search;
pub(super) use self::write::{create, new_entries, remove, remove_all, set, update};
use super::problem::Problem;
use crate::vault::{Permission, PermissionSet};

const READ: PermissionSet = PermissionSet::of(&[Permission::SecretRead, Permission::SecretDecrypt]);
const WRITE: PermissionSet = PermissionSet::of(&[Permission::SecretWrite]);
const DELETE: PermissionSet = PermissionSet::of(&[Permission::SecretDelete]);

fn not_found() -> Problem {
    Problem::not_found("resource.secret_not_found", "Secret not found.")
}

fn invalid_name() -> Problem {
    let message = "The name of a secret is 2 to 255 of A-Z, 0-9 and _, and does not begin with a digit.";
    Problem::invalid("validation.invalid_secret_name", message)
}
