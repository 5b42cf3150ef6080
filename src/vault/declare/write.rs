use std::fmt::{Display, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::model::{Entry, Environment, Expiry, GranteeName, Key, Member, Organization, Project, RoleName, Target};
use super::words::words;
use crate::core::custody::Custody;
use crate::core::document::{Dollars, Kind};
use crate::core::dotenv::quoted::Quoted;
use crate::core::organization_status::OrganizationStatus;
use crate::core::permission::PermissionSet;
use crate::core::secret::SecretString;
use crate::core::secret_format::SecretFormat;
use crate::core::token::TokenStyle;
use crate::vault::declare::Declaration;

impl Declaration {
    /// The declaration as text that [`parse`](Self::parse) reads, with all that it says.
    pub fn to_text(&self) -> SecretString {
        let mut text = Text(String::new());
        for one in &self.organizations {
            organization(&mut text, one);
        }
        text.0.into()
    }
}

/// Tables of TOML, a field a line.
struct Text(String);

impl Text {
    fn table(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.0.push_str(name);
        self.0.push('\n');
    }

    fn raw(&mut self, name: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{name} = {value}");
    }

    fn string(&mut self, name: &str, value: &str) {
        self.raw(name, &quoted(value));
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.string(name, value);
        }
    }

    fn id(&mut self, id: Option<impl Display>) {
        self.maybe("id", id.map(|id| id.to_string()).as_deref());
    }

    fn list<T: AsRef<str>>(&mut self, name: &str, values: &[T]) {
        let values: Vec<String> = values.iter().map(|value| quoted(value.as_ref())).collect();
        self.raw(name, &format!("[{}]", values.join(", ")));
    }

    fn permissions(&mut self, permissions: PermissionSet) {
        self.list("permissions", &words(permissions));
    }

    fn expires(&mut self, expires: Option<Expiry>) {
        match expires {
            Some(Expiry::At(at)) => self.string("expires", &at.to_string()),
            Some(Expiry::After(after)) => self.string("expires", &duration(after)),
            None => {}
        }
    }
}

/// In days, where these are whole.
fn duration(duration: Duration) -> String {
    let day = 24 * 60 * 60;
    if duration.subsec_nanos() == 0 && duration.as_secs().is_multiple_of(day) {
        format!("{}d", duration.as_secs() / day)
    } else {
        humantime::format_duration(duration).to_string()
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn organization(text: &mut Text, one: &Organization) {
    text.table("[[organization]]");
    text.string("name", &one.name);
    text.string("slug", &one.slug);
    text.id(one.id);
    text.maybe("plan", one.plan.map(crate::core::audit::Tier::as_str));
    text.maybe("status", one.status.map(OrganizationStatus::as_str));
    if let Some(days) = one.version_retention_days {
        text.raw("version_retention_days", &days.to_string());
    }
    for role in &one.roles {
        text.table("[[organization.role]]");
        text.string("name", &role.name);
        text.id(role.id);
        text.maybe("description", role.description.as_deref());
        text.permissions(role.permissions);
    }
    for team in &one.teams {
        text.table("[[organization.team]]");
        text.string("name", &team.name);
        text.id(team.id);
        text.maybe("description", team.description.as_deref());
    }
    for one in &one.members {
        member(text, one);
    }
    for one in &one.projects {
        project(text, one);
    }
    for grant in &one.grants {
        text.table("[[organization.grant]]");
        match &grant.to {
            GranteeName::Email(email) => text.string("user", email),
            GranteeName::Team(name) => text.string("team", name),
        }
        text.string("role", grant.role.as_str());
        text.string("path", grant.path.as_str());
    }
    for account in &one.accounts {
        text.table("[[organization.account]]");
        text.string("name", &account.name);
        text.id(account.id);
        text.string("path", account.path.as_str());
        text.permissions(account.permissions);
        text.expires(account.expires);
    }
    for service in &one.services {
        text.table("[[organization.service]]");
        text.string("name", &service.name);
        text.id(service.id);
        text.permissions(service.permissions);
        if let Some(allow_list) = &service.allow_list {
            let ranges: Vec<String> = allow_list.iter().map(ToString::to_string).collect();
            text.list("allow_list", &ranges);
        }
        for key in &service.keys {
            text.table("[[organization.service.key]]");
            text.string("name", &key.name);
            text.expires(key.expires);
        }
    }
    for token in &one.tokens {
        text.table("[[organization.token]]");
        text.string("name", &token.name);
        text.id(token.id);
        if token.style != TokenStyle::default() {
            text.string("format", token.style.as_str());
        }
        text.permissions(token.permissions);
        text.maybe("path", token.path.as_ref().map(crate::core::path::LevelPath::as_str));
        text.expires(token.expires);
    }
    for webhook in &one.webhooks {
        text.table("[[organization.webhook]]");
        text.string("url", &webhook.url);
        text.id(webhook.id);
        text.string("path", webhook.path.as_str());
        text.maybe("description", webhook.description.as_deref());
        if let Some(enabled) = webhook.enabled {
            text.raw("enabled", &enabled.to_string());
        }
    }
}

fn member(text: &mut Text, one: &Member) {
    text.table("[[organization.member]]");
    text.string("email", &one.email);
    text.id(one.id);
    text.maybe("name", one.name.as_deref());
    match &one.role {
        RoleName::Known(role) => text.string("role", &role.to_string()),
        RoleName::Custom(name) => text.string("role", &format!("custom:{name}")),
    }
    if let Some(teams) = &one.teams {
        text.list("teams", teams);
    }
}

fn project(text: &mut Text, one: &Project) {
    text.table("[[organization.project]]");
    text.string("name", &one.name);
    text.string("slug", one.slug.as_str());
    text.id(one.id);
    text.maybe("description", one.description.as_deref());
    text.maybe("secret_format", one.secret_format.map(SecretFormat::as_str));
    if let Some(versioning) = one.versioning {
        text.raw("versioning", &versioning.to_string());
    }
    if one.base {
        text.raw("base", "true");
    }
    key(text, &one.key);
    entries(text, "organization.project", &one.entries);
    for one in &one.targets {
        target(text, one);
    }
    environments(text, "organization.project", &one.environments);
}

fn key(text: &mut Text, key: &Key) {
    match key {
        Key::Server { is_string: false, tell: false, .. } => {}
        Key::Server { is_string, string, tell } => {
            if *is_string {
                text.string("key.scheme", "pbkdf2");
            }
            if let Some(string) = string {
                text.string("key.string", string.to_text().expose_secret());
            }
            if *tell {
                text.raw("key.tell", "true");
            }
        }
        Key::Client { derivation, proof, hint } => {
            text.string("key.custody", Custody::Client.as_str());
            if let Some(derivation) = derivation {
                text.string("key.scheme", "pbkdf2");
                text.string("key.salt", &BASE64.encode(derivation.salt()));
                text.raw("key.iterations", &derivation.iterations().to_string());
            }
            text.maybe("key.proof", proof.as_ref().map(SecretString::expose_secret));
            text.maybe("key.hint", hint.as_deref());
        }
    }
}

fn target(text: &mut Text, one: &Target) {
    text.table("[[organization.project.target]]");
    text.string("name", &one.name);
    text.string("slug", one.slug.as_str());
    text.id(one.id);
    text.maybe("description", one.description.as_deref());
    entries(text, "organization.project.target", &one.entries);
    environments(text, "organization.project.target", &one.environments);
}

fn environments(text: &mut Text, parent: &str, environments: &[Environment]) {
    for one in environments {
        text.table(&format!("[[{parent}.environment]]"));
        text.string("name", &one.name);
        text.string("slug", one.slug.as_str());
        text.id(one.id);
        text.maybe("description", one.description.as_deref());
        text.maybe("status", one.status.as_deref());
        if let Some(production) = one.production {
            text.raw("production", &production.to_string());
        }
        entries(text, &format!("{parent}.environment"), &one.entries);
    }
}

fn entries(text: &mut Text, level: &str, entries: &[Entry]) {
    for (field, kind) in [("variables", Kind::Variable), ("secrets", Kind::Secret)] {
        let mut is_first = true;
        for entry in entries.iter().filter(|entry| entry.kind == kind) {
            if is_first {
                text.table(&format!("[{level}.{field}]"));
                is_first = false;
            }
            let comment = entry.comment.as_deref().map(|comment| format!(", comment = {}", quoted(comment)));
            // A name with a dot would be a table in a table.
            let name = if entry.name.is_shell_name() { entry.name.to_string() } else { quoted(entry.name.as_str()) };
            let (field, value) = match (&entry.value, &entry.dollars) {
                (Some(value), None | Some(Dollars::Expandable)) => ("value", quoted(value.expose_secret())),
                (Some(value), Some(dollars)) => {
                    let value = Quoted { value: value.clone(), dollars: dollars.clone() };
                    ("quoted", quoted(value.to_text().expose_secret()))
                }
                (None, _) => ("keep", "true".to_owned()),
            };
            match comment {
                None if field == "value" => text.raw(&name, &value),
                comment => text.raw(&name, &format!("{{ {field} = {value}{} }}", comment.unwrap_or_default())),
            }
        }
    }
}
