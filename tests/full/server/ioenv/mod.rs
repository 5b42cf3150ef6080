//! ioenv over HTTP, as its clients see it.

mod audit;
mod environments;
mod exchanges;
mod limits;
mod properties;
mod refusals;
mod tokens;
mod variables;

use ioenv::Document;
use ioenv::vault::{At, Id, LevelScope, NewProject, PermissionSet, Project, Vocabulary};
use serde_json::{Value, json};

use super::stage::{Answer, Client, Stage, path};

/// A project, and what its addresses are.
struct Scene {
    stage: Stage,
    project: Project,
}

impl Scene {
    /// With `_base`, `dev`, `staging` and `prod`.
    fn new() -> Self {
        Self::on(Stage::memory())
    }

    fn on(stage: Stage) -> Self {
        let new = NewProject::new("shop").has_base(true);
        let project = stage.system().create_project(stage.acme, &new).unwrap();
        Self { stage, project }
    }

    /// A client with a token of the project that has these permissions, such as `read write`.
    fn client(&self, words: &str) -> Client {
        self.bound(words, "shop")
    }

    fn bound(&self, words: &str, at: &str) -> Client {
        self.stage.client(&self.stage.token(permissions(words), Some(at)))
    }

    fn id(&self, at: &str) -> Id {
        (self.stage.system().environment(At::Path(self.stage.acme, &path(at))).unwrap().id).into()
    }

    /// `/api/v1/env/…`, of the environment of that name.
    fn env(&self, name: &str) -> String {
        format!("/api/v1/env/{}", self.env_id(name))
    }

    fn env_id(&self, name: &str) -> String {
        self.id(&format!("shop/{name}")).to_prefixed("env")
    }

    fn variables(&self, name: &str) -> String {
        format!("{}/variables", self.env(name))
    }

    fn variable(&self, name: &str, key: &str) -> String {
        format!("{}/variables/{key}", self.env(name))
    }

    fn at(&self, rest: &str) -> String {
        format!("/api/v1/project/{}/{rest}", self.project.id.to_prefixed("proj"))
    }

    fn write(&self, at: &str, text: &str) {
        self.stage
            .system()
            .set_document(At::Path(self.stage.acme, &path(at)), &Document::parse(text).unwrap())
            .unwrap();
    }

    /// What a level says itself.
    fn text(&self, at: &str) -> String {
        let system = self.stage.system();
        let level = system.read_level(At::Path(self.stage.acme, &path(at)), LevelScope::Own).unwrap();
        level.into_document().unwrap_or_default().to_text().expose_secret().to_owned()
    }
}

fn permissions(words: &str) -> PermissionSet {
    Vocabulary::Ioenv.parse(words.split_whitespace()).unwrap()
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

/// An answer that refuses, as all of them do: just a code and a message.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) -> String {
    let body = answer.json(status);
    let message = body["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(body, error(code, &message));
    assert!(message.ends_with('.') && message.starts_with(|c: char| c.is_ascii_alphabetic()), "{message}");
    message
}

/// `A=1 B=2+`, where `+` stands behind what is inherited.
#[track_caller]
fn listed(answer: &Answer) -> String {
    let body = answer.json(200);
    let entries = body["variables"].as_array().unwrap().iter().map(|one| {
        let inherited = if one["inherited"] == true { "+" } else { "" };
        format!("{}={}{inherited}", one["key"].as_str().unwrap(), one["value"].as_str().unwrap())
    });
    entries.collect::<Vec<_>>().join(" ")
}
