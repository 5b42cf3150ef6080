//! The tables of `docs/access.md` are made from the code: this test fails when the file says something else, and
//! `UPDATE_DOCS=1 cargo test --features vault --test access_docs` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ioenv::vault::{
    CloudRole, EnvironmentRole, GrantRole, OrganizationRole, Permission, Permission as P, PermissionSet,
    PersonalKeyLevel, ProjectRole, UseCase, WorkspaceRole,
};

const BEGIN: &str = "<!-- made from the code: ";
const END: &str = "<!-- end -->";

/// One row for each permission that any of the columns has, in the order of the vocabulary.
fn matrix(columns: &[(&str, PermissionSet)]) -> String {
    let mut text = String::from("| permission |");
    for (name, _) in columns {
        write!(text, " {name} |").unwrap();
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    for permission in Permission::ALL {
        if columns.iter().any(|(_, set)| set.contains(*permission)) {
            write!(text, "| `{permission}` |").unwrap();
            for (_, set) in columns {
                text.push_str(if set.contains(*permission) { " yes |" } else { " |" });
            }
            text.push('\n');
        }
    }
    text
}

macro_rules! columns {
    ($role:ident) => {
        $role::ALL.iter().map(|role| (role.as_str(), role.permissions())).collect::<Vec<_>>()
    };
}

/// What the roles of environments can do, in words.
fn environment_roles() -> String {
    let roles: Vec<(&str, PermissionSet, Option<PermissionSet>)> = EnvironmentRole::ALL
        .iter()
        .map(|role| (role.as_str(), role.permissions(), Some(role.grantable())))
        .chain([("full project access", GrantRole::Full.permissions(), None)])
        .collect();
    let yes = |set: PermissionSet, needed: &[P]| {
        if set.contains_all(PermissionSet::of(needed)) { "yes" } else { "no" }.to_owned()
    };
    let words = |set: PermissionSet, words: &[(P, &str)]| {
        let held: Vec<&str> = words.iter().filter(|(one, _)| set.contains(*one)).map(|(_, word)| *word).collect();
        if held.is_empty() { "none".to_owned() } else { held.join(", ") }
    };
    let mut text = String::from("| capability |");
    for (name, ..) in &roles {
        write!(text, " {name} |").unwrap();
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(roles.len()));
    text.push('\n');
    let mut row = |capability: &str, cell: &dyn Fn(PermissionSet, PermissionSet) -> String| {
        write!(text, "| {capability} |").unwrap();
        for (_, set, grantable) in &roles {
            let grantable = grantable.unwrap_or_else(|| EnvironmentRole::grantable_with(*set));
            write!(text, " {} |", cell(*set, grantable)).unwrap();
        }
        text.push('\n');
    };
    row("see secrets", &|set, _| yes(set, &[P::SecretRead, P::SecretDecrypt]));
    row("make and change secrets", &|set, _| yes(set, &[P::SecretWrite]));
    row("delete secrets", &|set, _| yes(set, &[P::SecretDelete]));
    row("webhooks", &|set, _| {
        let all = [
            (P::WebhookRead, "read"),
            (P::WebhookCreate, "create"),
            (P::WebhookUpdate, "update"),
            (P::WebhookTest, "test"),
            (P::WebhookDelete, "delete"),
        ];
        words(set, &all)
    });
    row("integrations", &|set, _| words(set, &[(P::IntegrationRead, "read"), (P::IntegrationWrite, "write")]));
    row("make an account of the environment with", &|set, grantable| {
        if !set.contains(P::AccountCreate) {
            "no".to_owned()
        } else if grantable == EnvironmentRole::ACCOUNT {
            "every permission of an account".to_owned()
        } else {
            grantable.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
        }
    });
    row("say who has access", &|set, _| yes(set, &[P::AccessManage]));
    row("rename, mark as production and delete the environment", &|set, _| {
        yes(set, &[P::EnvironmentUpdate, P::EnvironmentDelete])
    });
    row("see changes and former states", &|set, _| yes(set, &[P::SecretHistory, P::SecretRead]));
    row("bring a former state back", &|set, _| match () {
        () if !set.contains(P::SecretRestore) => "no".to_owned(),
        () if !set.contains(P::SecretDelete) => "where it deletes nothing".to_owned(),
        () => "yes".to_owned(),
    });
    text
}

fn calls() -> String {
    let mut text = String::from("| use case | takes |\n|---|---|\n");
    for use_case in UseCase::ALL {
        let taken: Vec<String> = use_case.permissions().iter().map(|one| format!("`{one}`")).collect();
        let taken = if taken.is_empty() { "–".to_owned() } else { taken.join(", ") };
        writeln!(text, "| {use_case:?} | {taken} |").unwrap();
    }
    text
}

fn table(name: &str) -> String {
    let full = ("full", GrantRole::Full.permissions());
    match name {
        "organization roles" => matrix(&columns!(OrganizationRole)),
        "project roles" => matrix(&columns!(ProjectRole)),
        "workspace roles" => matrix(&columns!(WorkspaceRole)),
        "environment roles" => environment_roles(),
        "environment permissions" => {
            let mut columns = columns!(EnvironmentRole);
            columns.push(full);
            matrix(&columns)
        }
        "cloud roles" => matrix(&columns!(CloudRole)),
        "personal keys" => matrix(&columns!(PersonalKeyLevel)),
        "use cases" => calls(),
        _ => panic!("there is no table of that name: {name}"),
    }
}

/// The text with its tables made anew, and how many these are.
fn made_anew(text: &str) -> (String, usize) {
    let mut made = String::new();
    let mut count = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        writeln!(made, "{line}").unwrap();
        if let Some(name) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(" -->")) {
            assert!(lines.any(|line| line == END), "{name}: a table has no end");
            write!(made, "\n{}\n{END}\n", table(name)).unwrap();
            count += 1;
        }
    }
    (made, count)
}

#[test]
fn the_tables_say_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/access.md");
    let text = fs::read_to_string(&path).unwrap();
    let (made, count) = made_anew(&text);
    assert_eq!(count, 8, "a table is missing");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
        return;
    }
    for (number, (is, must)) in text.lines().zip(made.lines()).enumerate() {
        assert_eq!(is, must, "docs/access.md, line {}: make the tables anew with UPDATE_DOCS=1", number + 1);
    }
    assert_eq!(text, made, "make the tables of docs/access.md anew with UPDATE_DOCS=1");
}

#[test]
fn a_table_that_says_something_else_is_noticed() {
    let (right, _) = made_anew(&format!("{BEGIN}project roles -->\n{END}\n"));
    assert!(right.contains("| `secret:write` | | yes | yes |"), "{right}");
    let wrong = right.replace("| `secret:write` | | yes", "| `secret:write` | yes | yes");
    assert_ne!(right, wrong);
    assert_eq!(made_anew(&wrong).0, right);
}
