//! Somebody renames a place while a request is on its way to it, and makes another one that has its slug from then on.
//!
//! A request is several transactions. Before each of them in turn the place changes its slug; then whatever the request
//! does concerns the one place or the other, and never both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use ioenv::Document;
use ioenv::store::{KeyRange, Order, StoreExt as _};
use ioenv::vault::{
    Actor, At, EnvironmentUpdate, Id, LevelId, NewEnvironment, NewProject, NewTarget, NewToken, NewWebhook,
    OrganizationId, Paging, PermissionSet, ProjectUpdate, Session, TargetUpdate, Vault,
};
use serde_json::{Value, json};

use super::stage::{Client, Stage, path, slug};
use super::watched::{Act, Watched};

/// What changes its slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renamed {
    /// The project `shop`.
    Project,
    /// Its environment `custom`.
    Environment,
    /// Its target `api`.
    Target,
    /// The environment `live` of that.
    TargetEnvironment,
}

/// A request that writes, and below what it acts.
struct Case {
    method: &'static str,
    address: String,
    body: Option<Value>,
    renamed: &'static [Renamed],
    /// Whether the request says what it is about by an id.
    by_id: bool,
}

struct World {
    stage: Stage,
    store: Watched,
    client: Client,
}

/// What there is after something was renamed.
#[derive(Clone, Debug, Default)]
struct After {
    old: BTreeSet<Id>,
    new: BTreeSet<Id>,
    records: BTreeMap<String, String>,
}

const LEVELS: [&str; 4] = ["", "/custom", "/api", "/api/live"];

impl World {
    fn new() -> Self {
        let (stage, store) = Stage::watched(|server| server);
        make_project(&stage.system(), stage.acme);
        let client = stage.client(&stage.token(PermissionSet::ALL, None));
        // Its first use is written down.
        client.get("/v1/whoami").json(200);
        Self { stage, store, client }
    }

    fn send(&self, case: &Case) -> (u16, String) {
        let body = case.body.as_ref().map(Value::to_string);
        let answer = self.client.send(case.method, &case.address, body.as_deref());
        (answer.status, answer.text)
    }

    fn cases(&self) -> Vec<Case> {
        [ioenv_cases(self), dotenv_cloud_cases(self), stashbase_cases(self)].into_iter().flatten().collect()
    }
}

/// The project `shop`: each of its levels holds something, and held something else.
fn make_project(system: &Session<'_>, acme: OrganizationId) {
    let mut project = NewProject::new("shop");
    project.has_base = true;
    system.create_project(acme, project).unwrap();
    make_target(system, acme);
    make_environment(system, acme, "shop", "custom");
    write(system, acme, "shop");
}

fn make_target(system: &Session<'_>, acme: OrganizationId) {
    system.create_target(At::Path(acme, &path("shop")), &NewTarget::new("api")).unwrap();
    make_environment(system, acme, "shop/api", "live");
    write(system, acme, "shop/api");
}

fn make_environment(system: &Session<'_>, acme: OrganizationId, parent: &str, name: &str) {
    system.create_environment(At::Path(acme, &path(parent)), &NewEnvironment::new(name)).unwrap();
    let at = format!("{parent}/{name}");
    write(system, acme, &at);
    let webhook = NewWebhook::new("https://hooks.example.com/in");
    system.create_webhook(At::Path(acme, &path(&at)), &webhook).unwrap();
}

fn write(system: &Session<'_>, acme: OrganizationId, at: &str) {
    for text in ["AA=1\n", "AA=2\nBB=1\n"] {
        system.set_document(At::Path(acme, &path(at)), &Document::parse(text).unwrap()).unwrap();
    }
}

/// The ids of a level and of all below it.
fn ids(system: &Session<'_>, acme: OrganizationId, at: &str) -> BTreeSet<Id> {
    let chain = |at: &str| system.chain(At::Path(acme, &path(at))).ok().and_then(|chain| chain.last().copied());
    let mut ids: BTreeSet<Id> =
        LEVELS.iter().filter_map(|below| chain(&format!("{at}{below}"))).map(Id::from).collect();
    ids.extend(chain(&format!("{at}/live")).map(Id::from));
    ids
}

/// Renames something, and makes another one of its slug.
fn rename(vault: &Vault, store: &Watched, acme: OrganizationId, renamed: Renamed) -> After {
    let system = vault.session(Actor::system("somebody"));
    let (at, old) = match renamed {
        Renamed::Project => {
            let mut update = ProjectUpdate::default();
            update.slug = Some(slug("shop-old"));
            system.update_project(At::Path(acme, &path("shop")), &update).unwrap();
            make_project(&system, acme);
            ("shop", "shop-old")
        }
        Renamed::Target => {
            let mut update = TargetUpdate::default();
            update.slug = Some(slug("api-old"));
            system.update_target(At::Path(acme, &path("shop/api")), &update).unwrap();
            make_target(&system, acme);
            ("shop/api", "shop/api-old")
        }
        Renamed::Environment => rename_environment(&system, acme, "shop", "custom", ("shop/custom", "shop/custom-old")),
        Renamed::TargetEnvironment => {
            rename_environment(&system, acme, "shop/api", "live", ("shop/api/live", "shop/api/live-old"))
        }
    };
    After { old: ids(&system, acme, old), new: ids(&system, acme, at), records: records(store) }
}

fn rename_environment(
    system: &Session<'_>,
    acme: OrganizationId,
    parent: &str,
    name: &str,
    paths: (&'static str, &'static str),
) -> (&'static str, &'static str) {
    let mut update = EnvironmentUpdate::default();
    update.slug = Some(slug(&format!("{name}-old")));
    system.update_environment(At::Path(acme, &path(paths.0)), &update).unwrap();
    make_environment(system, acme, parent, name);
    paths
}

fn records(store: &Watched) -> BTreeMap<String, String> {
    let all = store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, usize::MAX)).unwrap();
    all.into_iter().map(|record| (record.key, record.value)).collect()
}

/// The records that became others.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.get(key), after.get(key));
        if old != new {
            text += &format!("{key} {} {}\n", old.map_or("", String::as_str), new.map_or("", String::as_str));
        }
    }
    text
}

/// Whether one of these ids stands in a text, as itself or as a service spells it.
fn names_one(ids: &BTreeSet<Id>, text: &str) -> bool {
    ids.iter().any(|id| text.contains(&id.to_string()) || text.contains(&id.to_prefixed("x")[1..]))
}

#[test]
fn a_write_concerns_one_place_whatever_is_renamed_meanwhile() {
    let count = World::new().cases().len();
    assert!(count > 50, "{count}");
    let mut hits = BTreeSet::new();
    for index in 0..count {
        let world = World::new();
        let case = &world.cases()[index];
        let mut status = (0, String::new());
        let transactions = world.store.count(|| status = world.send(case)).transactions();
        assert!(status.0 < 300, "{} {}: {status:?}", case.method, case.address);
        for renamed in case.renamed {
            for skip in 0..transactions {
                let (world, after) = (World::new(), Arc::new(Mutex::new(After::default())));
                let case = &world.cases()[index];
                let (vault, store, acme) = (Arc::clone(&world.stage.vault), world.store.clone(), world.stage.acme);
                let (renamed, seen) = (*renamed, Arc::clone(&after));
                let act = move || *seen.lock().unwrap() = rename(&vault, &store, acme, renamed);
                world.store.arm(skip, Act::Call(Box::new(act)));
                let (status, text) = world.send(case);

                let after = after.lock().unwrap().clone();
                let changed = changed(&after.records, &records(&world.store));
                let told = format!("{} {} {renamed:?} {skip}: {status} {text}\n{changed}", case.method, case.address);
                assert!(!after.old.is_empty() && after.old.is_disjoint(&after.new), "{told}");
                let (old, new) = (names_one(&after.old, &changed), names_one(&after.new, &changed));
                assert!(!(old && new), "both were changed: {told}");
                assert!(status < 500, "{told}");
                if status >= 300 {
                    assert!(!old && !new, "changed by a request that was refused: {told}");
                } else {
                    let (told_old, told_new) = (names_one(&after.old, &text), names_one(&after.new, &text));
                    assert!(!(told_old && new) && !(told_new && old), "told of the other one: {told}");
                    assert!(!(told_old && told_new), "told of both: {told}");
                }
                assert!(!(case.by_id && new), "it was not asked for: {told}");
                hits.insert((status < 300, old, new));
            }
        }
    }
    // Each outcome there can be was seen: the one place, the other, and a refusal.
    for outcome in [(true, true, false), (true, false, true), (false, false, false)] {
        assert!(hits.contains(&outcome), "{hits:?}");
    }
}

fn ioenv_cases(world: &World) -> Vec<Case> {
    use Renamed::{Environment, Project};

    let (system, acme) = (world.stage.system(), world.stage.acme);
    let project = system.project(At::Path(acme, &path("shop"))).unwrap().id.to_prefixed("proj");
    let custom = system.environment(At::Path(acme, &path("shop/custom"))).unwrap().id.to_prefixed("env");
    let mut token = NewToken::new("worker", PermissionSet::ALL);
    token.scope = Some(path("shop"));
    let token = system.issue_token(acme, &token).unwrap().info.id.to_prefixed("tok");
    let (project, custom) = (format!("/api/v1/project/{project}"), format!("/api/v1/env/{custom}"));
    let case = |method, address: String, body, renamed| Case { method, address, body, renamed, by_id: true };
    vec![
        case("POST", format!("{project}/environments"), Some(json!({ "name": "fresh" })), &[Project]),
        case("POST", format!("{project}/tokens"), Some(json!({ "name": "t", "permissions": ["read"] })), &[Project]),
        case("DELETE", format!("{project}/tokens/{token}"), None, &[Project]),
        case("PATCH", custom.clone(), Some(json!({ "name": "other" })), &[Project, Environment]),
        case("DELETE", custom.clone(), None, &[Project, Environment]),
        case("PUT", format!("{custom}/variables/K"), Some(json!({ "value": "x" })), &[Project, Environment]),
        case("PUT", format!("{custom}/variables/export"), Some(json!({ "value": "x" })), &[Project, Environment]),
        case("DELETE", format!("{custom}/variables/AA"), None, &[Project, Environment]),
    ]
}

fn dotenv_cloud_cases(world: &World) -> Vec<Case> {
    use Renamed::{Project, Target, TargetEnvironment};

    let (system, acme) = (world.stage.system(), world.stage.acme);
    let here = format!("/api/v1/{acme}");
    let live = At::Path(acme, &path("shop/api/live"));
    let blob = system.blobs(live).unwrap().levels.pop().unwrap().content.unwrap().to_string();
    let version = system.versions(live, &Paging::default()).unwrap().items[0].id;
    let names = json!({ "project": "shop", "target": "api", "environment": "live" });
    let with = |more: Value| {
        let mut body = names.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    let mut token = NewToken::new("bound", PermissionSet::ALL);
    token.scope = Some(path("shop/api/live"));
    let token = system.issue_token(acme, &token).unwrap().info.id;
    let token = format!("/api/v1/organizations/{acme}/api-keys/{token}");
    const IN_PROJECT: &[Renamed] = &[Project];
    const IN_TARGET: &[Renamed] = &[Project, Target];
    const IN_LIVE: &[Renamed] = &[Project, Target, TargetEnvironment];
    let case = |method, address: String, body, renamed| Case { method, address, body, renamed, by_id: false };
    vec![
        case("PATCH", format!("{here}/shop"), Some(json!({ "description": "x" })), IN_PROJECT),
        case("PUT", format!("{here}/shop"), Some(json!({ "slug": "other" })), IN_PROJECT),
        case("DELETE", format!("{here}/shop"), None, IN_PROJECT),
        case("POST", format!("{here}/shop/targets"), Some(json!({ "name": "web" })), IN_PROJECT),
        case("PATCH", format!("{here}/shop/api"), Some(json!({ "description": "x" })), IN_TARGET),
        case("PUT", format!("{here}/shop/api"), Some(json!({ "slug": "other" })), IN_TARGET),
        case("DELETE", format!("{here}/shop/api"), None, IN_TARGET),
        case("POST", format!("{here}/shop/api/environments"), Some(json!({ "name": "fresh" })), IN_TARGET),
        case("PATCH", format!("{here}/shop/api/live"), Some(json!({ "description": "x" })), IN_LIVE),
        case("PUT", format!("{here}/shop/api/live"), Some(json!({ "slug": "other" })), IN_LIVE),
        case("DELETE", format!("{here}/shop/api/live"), None, IN_LIVE),
        case("POST", format!("{here}/secrets/store"), with(json!({ "content": blob })), IN_LIVE),
        case("POST", format!("{here}/secrets/delete"), with(json!({})), IN_LIVE),
        case("POST", format!("{here}/secrets/delete"), with(json!({ "no_backup": true, "confirmed": true })), IN_LIVE),
        case("POST", format!("{here}/secrets/versions/purge"), with(json!({ "confirmed": true })), IN_LIVE),
        case("POST", format!("{here}/secrets/versions/{version}/restore"), Some(json!({})), IN_LIVE),
        case("DELETE", format!("{here}/secrets/versions/{version}?force=true"), None, IN_LIVE),
        case("POST", format!("{here}/shop/encryption-key/rotate"), Some(json!({})), IN_PROJECT),
        case(
            "POST",
            format!("{here}/shop/encryption-key/rotate"),
            Some(json!({ "history_policy": "re_encrypt" })),
            IN_PROJECT,
        ),
        case(
            "POST",
            format!("{here}/shop/encryption-key/custody"),
            Some(json!({ "managed": "client", "confirmed": true })),
            IN_PROJECT,
        ),
        case(
            "POST",
            format!("/api/v1/organizations/{acme}/api-keys"),
            Some(json!({ "name": "k", "abilities": ["secret:read"], "scope": names })),
            IN_LIVE,
        ),
        case("PUT", token.clone(), Some(json!({ "name": "k" })), IN_LIVE),
        case("POST", format!("{token}/rotate"), None, IN_LIVE),
        case("DELETE", token, None, IN_LIVE),
    ]
}

fn stashbase_cases(world: &World) -> Vec<Case> {
    use Renamed::{Environment, Project};

    let (system, acme) = (world.stage.system(), world.stage.acme);
    let custom = At::Path(acme, &path("shop/custom"));
    let webhook = system.webhooks(custom).unwrap()[0].id.to_prefixed("whk");
    let project = "/v1/projects/shop";
    let at = format!("{project}/environments/custom");
    let change = world.client.get(&format!("{at}/changelog")).json(200)["data"][1]["id"].as_str().unwrap().to_owned();
    let by_id = format!(
        "/v1/projects/{}/environments/{}",
        Id::from(LevelId::from(system.project(At::Path(acme, &path("shop"))).unwrap().id)).to_prefixed("proj"),
        system.environment(custom).unwrap().id.to_prefixed("env"),
    );
    const IN_PROJECT: &[Renamed] = &[Project];
    const IN_CUSTOM: &[Renamed] = &[Project, Environment];
    let one = format!("webhooks/{webhook}");
    let secrets: [(&str, &str, Option<Value>); 7] = [
        ("POST", "secrets", Some(json!([{ "name": "CC", "value": "1" }]))),
        ("PUT", "secrets", Some(json!([{ "name": "AA", "value": "3" }]))),
        ("PATCH", "secrets", Some(json!([{ "name": "AA", "new_name": "DD" }]))),
        ("POST", "secrets/delete", Some(json!(["AA"]))),
        ("POST", "secrets/delete/all", None),
        ("DELETE", "secrets/all", None),
        ("POST", "webhooks", Some(json!({ "url": "https://more.example.com" }))),
    ];
    let mut cases = vec![
        Case {
            method: "PATCH",
            address: project.to_owned(),
            body: Some(json!({ "description": "x" })),
            renamed: IN_PROJECT,
            by_id: false,
        },
        Case {
            method: "PATCH",
            address: project.to_owned(),
            body: Some(json!({ "name": "other" })),
            renamed: IN_PROJECT,
            by_id: false,
        },
        Case { method: "DELETE", address: project.to_owned(), body: None, renamed: IN_PROJECT, by_id: false },
        Case {
            method: "POST",
            address: format!("{project}/environments"),
            body: Some(json!({ "name": "fresh", "secrets": [{ "name": "AA", "value": "1" }] })),
            renamed: IN_PROJECT,
            by_id: false,
        },
    ];
    for (at, is_by_id) in [(&at, false), (&by_id, true)] {
        let case = |method, address: String, body| Case { method, address, body, renamed: IN_CUSTOM, by_id: is_by_id };
        cases.push(case("PATCH", at.clone(), Some(json!({ "name": "other", "description": "x" }))));
        cases.push(case("DELETE", at.clone(), None));
        cases.extend(secrets.iter().map(|(method, rest, body)| case(method, format!("{at}/{rest}"), body.clone())));
        cases.push(case("PATCH", format!("{at}/{one}"), Some(json!({ "description": "x" }))));
        cases.push(case("PATCH", format!("{at}/{one}/status"), Some(json!({ "enabled": true }))));
        cases.push(case("POST", format!("{at}/{one}/signing-secret"), None));
        cases.push(case("DELETE", format!("{at}/{one}"), None));
        cases.push(case("POST", format!("{at}/changelog/{change}/revert"), None));
    }
    cases
}
