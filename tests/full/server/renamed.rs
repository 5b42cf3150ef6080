//! Somebody renames a place while a request is on its way to it, and makes another one that has its slug from then on.
//!
//! A request is several transactions. Before each of them in turn the place changes its slug; then whatever the request
//! does concerns the one place or the other, and never both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use ioenv::store::{KeyRange, Order, StoreExt as _};
use ioenv::vault::{
    Actor, At, EnvironmentRole, EnvironmentUpdate, Id, LevelId, NewAccount, NewBlob, NewEnvironment, NewProject,
    NewTarget, NewToken, NewWebhook, OrganizationId, Paging, PermissionSet, ProjectUpdate, Session, TargetUpdate,
};
use ioenv::{Document, ErrorKind};
use serde_json::{Value, json};

use super::docs::{DOCS, addresses};
use super::dotenv_cloud::world::{Holder, over};
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

impl Renamed {
    fn path(self) -> &'static str {
        match self {
            Self::Project => "shop",
            Self::Environment => "shop/custom",
            Self::Target => "shop/api",
            Self::TargetEnvironment => "shop/api/live",
        }
    }
}

/// A request that writes, and below what it acts.
struct Case {
    method: &'static str,
    address: String,
    body: Option<Value>,
    renamed: &'static [Renamed],
    /// Whether the request says what it is about by an id.
    by_id: bool,
    /// Whether it comes from an account of `shop/custom`, whose key says where it acts.
    by_account: bool,
}

struct World {
    stage: Stage,
    store: Watched,
    client: Client,
    account: Client,
    make_project: Make,
}

/// Makes the project `shop`.
type Make = fn(&Session<'_>, OrganizationId);

/// What there is after something was renamed.
#[derive(Clone, Debug, Default)]
struct After {
    old: BTreeSet<Id>,
    new: BTreeSet<Id>,
    records: BTreeMap<String, String>,
}

const LEVELS: [&str; 4] = ["", "/custom", "/api", "/api/live"];

impl World {
    fn new(make_project: Make) -> Self {
        let (stage, store) = Stage::watched(|server| server);
        make_project(&stage.system(), stage.acme);
        let client = stage.client(&stage.token(PermissionSet::ALL, None));
        let custom = path("shop/custom");
        let permissions = EnvironmentRole::ACCOUNT;
        let account = stage.system().create_account(At::Path(stage.acme, &custom), &NewAccount::new("a", permissions));
        // Where people hold the key there is no such environment.
        let key = account.map_or_else(|_| stage.token(PermissionSet::ALL, None), |made| made.key);
        let account = stage.client(&key);
        // Their first use is written down.
        for client in [&client, &account] {
            client.get("/v1/whoami").json(200);
        }
        Self { stage, store, client, account, make_project }
    }

    fn send(&self, case: &Case) -> (u16, String) {
        let body = case.body.as_ref().map(Value::to_string);
        let client = if case.by_account { &self.account } else { &self.client };
        let answer = client.send(case.method, &case.address, body.as_deref());
        (answer.status, answer.text)
    }

    /// Renames something, wherever the request has left it, and makes another one of the slug that it had.
    fn renaming(&self, renamed: Renamed) -> (impl FnOnce() + Send + use<>, Arc<Mutex<After>>) {
        let (vault, store, acme) = (Arc::clone(&self.stage.vault), self.store.clone(), self.stage.acme);
        let (old, make_project) = (ids(&self.stage.system(), acme, renamed.path()), self.make_project);
        let after = Arc::new(Mutex::new(After::default()));
        let seen = Arc::clone(&after);
        let act = move || {
            let system = vault.session(Actor::system("somebody"));
            rename(&system, At::Id(LevelId::from(*old.first().unwrap())), renamed);
            match renamed {
                Renamed::Project => make_project(&system, acme),
                Renamed::Target => make_target(&system, acme),
                Renamed::Environment => make_environment(&system, acme, "shop", "custom"),
                Renamed::TargetEnvironment => make_environment(&system, acme, "shop/api", "live"),
            }
            *seen.lock().unwrap() = After { old, new: ids(&system, acme, renamed.path()), records: records(&store) };
        };
        (act, after)
    }
}

/// The project `shop`: each of its levels holds something, and held something else.
fn make_project(system: &Session<'_>, acme: OrganizationId) {
    let project = NewProject::new("shop").has_base(true);
    system.create_project(acme, &project).unwrap();
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
    // Nothing listens there.
    let webhook = NewWebhook::new("http://127.0.0.1:9/in");
    system.create_webhook(At::Path(acme, &path(&at)), &webhook).unwrap();
}

fn write(system: &Session<'_>, acme: OrganizationId, at: &str) {
    for text in ["AA=1\n", "AA=2\nBB=1\n"] {
        system.set_document(At::Path(acme, &path(at)), &Document::parse(text).unwrap()).unwrap();
    }
}

/// The ids of a level and of all below it, that of the level first: it is the oldest.
fn ids(system: &Session<'_>, acme: OrganizationId, at: &str) -> BTreeSet<Id> {
    let chain = |at: &str| {
        // Most levels have no such level below them.
        let at = at.parse().ok()?;
        system.blobs(At::Path(acme, &at)).ok()?.levels.last().map(|level| level.id)
    };
    let mut ids: BTreeSet<Id> =
        LEVELS.iter().filter_map(|below| chain(&format!("{at}{below}"))).map(Id::from).collect();
    ids.extend(chain(&format!("{at}/live")).map(Id::from));
    ids
}

fn rename(system: &Session<'_>, at: At<'_>, renamed: Renamed) {
    let done = match renamed {
        Renamed::Project => {
            let update = ProjectUpdate::new().slug(slug("shop-old"));
            system.update_project(at, &update).map(drop)
        }
        Renamed::Target => {
            let update = TargetUpdate::new().slug(slug("api-old"));
            system.update_target(at, &update).map(drop)
        }
        Renamed::Environment | Renamed::TargetEnvironment => {
            let update = EnvironmentUpdate::new().slug(slug("old"));
            system.update_environment(at, &update).map(drop)
        }
    };
    // The request may have deleted it.
    assert!(done.is_ok() || done.is_err_and(|error| error.kind() == ErrorKind::NotFound));
}

fn records(store: &Watched) -> BTreeMap<String, String> {
    let all = store.read(|tx| tx.scan(&KeyRange::prefix(""), Order::Ascending, usize::MAX)).unwrap();
    all.into_iter().map(|record| (record.key, record.value)).collect()
}

/// The records that became others.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> String {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |of: &BTreeMap<String, String>, key| of.get(key).cloned().unwrap_or_default();
    let others = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    let lines: Vec<String> = others.map(|key| format!("{key} {} {}", value(before, key), value(after, key))).collect();
    lines.join("\n")
}

/// Whether one of these ids stands in a text, as itself or as a service spells it.
fn names_one(ids: &BTreeSet<Id>, text: &str) -> bool {
    ids.iter().any(|id| text.contains(&id.to_string()) || text.contains(&id.to_prefixed("x")[1..]))
}

/// What becomes of each case when something is renamed before each of its transactions: whether it was done, to the old
/// place, to the new one.
fn outcomes(make_project: Make, cases: fn(&World) -> Vec<Case>) -> BTreeSet<(bool, bool, bool)> {
    let mut outcomes = BTreeSet::new();
    for index in 0..cases(&World::new(make_project)).len() {
        let world = World::new(make_project);
        let case = &cases(&world)[index];
        let mut done = (0, String::new());
        let transactions = world.store.count(|| done = world.send(case)).transactions();
        assert!(done.0 < 300, "{} {}: {done:?}", case.method, case.address);
        for renamed in case.renamed {
            for skip in 0..transactions {
                let world = World::new(make_project);
                outcomes.insert(outcome(&world, &cases(&world)[index], *renamed, skip));
            }
        }
    }
    outcomes
}

fn outcome(world: &World, case: &Case, renamed: Renamed, skip: usize) -> (bool, bool, bool) {
    let (act, after) = world.renaming(renamed);
    world.store.arm(skip, Act::Call(Box::new(act)));
    let (status, text) = world.send(case);

    let after = after.lock().unwrap().clone();
    let changed = changed(&after.records, &records(&world.store));
    let told = format!("{} {} {renamed:?} {skip}: {status} {text}\n{changed}", case.method, case.address);
    assert!(!after.old.is_empty() && !after.new.is_empty() && after.old.is_disjoint(&after.new), "{told}");
    let (old, new) = (names_one(&after.old, &changed), names_one(&after.new, &changed));
    assert!(!(old && new), "both were changed: {told}");
    assert!(status < 500, "{told}");
    assert!(!(case.by_id && new), "it was not asked for: {told}");
    if status >= 300 {
        // What it read before it was refused is in the audit log.
        let mut written = changed.lines().filter(|line| !line.starts_with("audit"));
        let is_written = written.any(|line| names_one(&after.old, line) || names_one(&after.new, line));
        assert!(!is_written, "changed by a request that was refused: {told}");
        return (false, false, false);
    }
    let (told_old, told_new) = (names_one(&after.old, &text), names_one(&after.new, &text));
    assert!(!(told_old && told_new), "told of both: {told}");
    assert!(!(told_old && new || told_new && old), "told of the other one: {told}");
    (true, old, new)
}

const OLD: (bool, bool, bool) = (true, true, false);
const NEW: (bool, bool, bool) = (true, false, true);
const REFUSED: (bool, bool, bool) = (false, false, false);

#[test]
fn a_write_of_ioenv_concerns_what_has_the_id() {
    assert_eq!(outcomes(make_project, ioenv_cases), BTreeSet::from([OLD, REFUSED]));
}

#[test]
fn a_write_of_dotenv_cloud_concerns_one_place() {
    assert!(outcomes(make_project, dotenv_cloud_cases).is_superset(&BTreeSet::from([OLD, NEW])));
}

#[test]
fn a_write_of_dotenv_cloud_concerns_one_place_where_people_hold_the_key() {
    // Each is one transaction, so what is renamed before it is out of reach.
    assert_eq!(outcomes(make_held_project, held_cases), BTreeSet::from([NEW, REFUSED]));
    assert_eq!(outcomes(make_held_project, rotated_cases), BTreeSet::from([REFUSED]));
}

#[test]
fn a_write_of_stashbase_concerns_one_place() {
    assert!(outcomes(make_project, stashbase_cases).is_superset(&BTreeSet::from([OLD, NEW])));
}

/// Writes that are at no place, and requests that are no writes but are sent as such.
const NOT_AT_A_PLACE: &[&str] = &[
    "PATCH /organizations/{o}",
    "DELETE /organizations/{o}",
    "POST /organizations/{o}/members",
    "DELETE /organizations/{o}/members/{id}",
    "POST /{o}/projects",
    "POST /projects",
    "POST /cli/telemetry",
    "POST /{o}/secrets/retrieve",
    "POST /{o}/secrets/versions",
    "POST /{o}/{p}/secrets/re-encrypt-history/pending",
];

#[test]
fn each_write_in_the_docs_is_a_case() {
    let world = World::new(make_project);
    let mut cases: Vec<(&str, String)> = [ioenv_cases, dotenv_cloud_cases, stashbase_cases]
        .iter()
        .flat_map(|cases| cases(&world))
        .chain(held_cases(&World::new(make_held_project)))
        .chain(rotated_cases(&World::new(make_held_project)))
        .map(|case| (case.method, case.address))
        .collect();
    cases.sort();
    let mut count = 0;
    for (section, base) in DOCS.split("\n## ").skip(2).zip(["/api/v1", "/api/v1", "/v1"]) {
        for (method, address) in addresses(section).into_iter().filter(|(method, _)| *method != "GET") {
            if NOT_AT_A_PLACE.contains(&format!("{method} {address}").as_str()) {
                continue;
            }
            for at in ["/projects/{project}/environments/{environment}", "/environment"] {
                let address = format!("{base}{}", address.replace("{w}", at));
                // An account changes what its environment holds; a state is brought back by whoever sees the history.
                let is_case = cases.iter().any(|(of, case)| *of == method && is_like(&address, case));
                assert!(is_case || address.ends_with("/environment/changelog/{id}/revert"), "{method} {address}");
                count += 1;
            }
        }
    }
    assert!(count > 50, "{count}");
}

/// Whether an address has the form that the docs give, with any segment in the place of a name in braces.
fn is_like(form: &str, address: &str) -> bool {
    let address = address.split('?').next().unwrap_or_default();
    let is_name = |segment: &str| segment == "KEY" || segment.starts_with('{');
    let (form, address): (Vec<&str>, Vec<&str>) = (form.split('/').collect(), address.split('/').collect());
    form.len() == address.len() && form.iter().zip(&address).all(|(form, at)| is_name(form) || form == at)
}

const IN_PROJECT: &[Renamed] = &[Renamed::Project];
const IN_CUSTOM: &[Renamed] = &[Renamed::Project, Renamed::Environment];
const IN_TARGET: &[Renamed] = &[Renamed::Project, Renamed::Target];
const IN_LIVE: &[Renamed] = &[Renamed::Project, Renamed::Target, Renamed::TargetEnvironment];

fn ioenv_cases(world: &World) -> Vec<Case> {
    let (system, acme) = (world.stage.system(), world.stage.acme);
    let project = system.project(At::Path(acme, &path("shop"))).unwrap().id.to_prefixed("proj");
    let custom = system.environment(At::Path(acme, &path("shop/custom"))).unwrap().id.to_prefixed("env");
    let token = NewToken::new("worker", PermissionSet::ALL).scope(path("shop"));
    let token = system.issue_token(acme, &token).unwrap().info.id.to_prefixed("tok");
    let (project, custom) = (format!("/api/v1/project/{project}"), format!("/api/v1/env/{custom}"));
    let case = |method, address: String, body, renamed| Case {
        method,
        address,
        body,
        renamed,
        by_id: true,
        by_account: false,
    };
    vec![
        case("POST", format!("{project}/environments"), Some(json!({ "name": "fresh" })), IN_PROJECT),
        case("POST", format!("{project}/tokens"), Some(json!({ "name": "t", "permissions": ["read"] })), IN_PROJECT),
        case("DELETE", format!("{project}/tokens/{token}"), None, IN_PROJECT),
        case("PATCH", custom.clone(), Some(json!({ "name": "other" })), IN_CUSTOM),
        case("DELETE", custom.clone(), None, IN_CUSTOM),
        case("PUT", format!("{custom}/variables/K"), Some(json!({ "value": "x" })), IN_CUSTOM),
        case("PUT", format!("{custom}/variables/export"), Some(json!({ "value": "x" })), IN_CUSTOM),
        case("DELETE", format!("{custom}/variables/AA"), None, IN_CUSTOM),
    ]
}

fn dotenv_cloud_cases(world: &World) -> Vec<Case> {
    let (system, acme) = (world.stage.system(), world.stage.acme);
    let here = format!("/api/v1/{acme}");
    let live = At::Path(acme, &path("shop/api/live"));
    let blob = system.blobs(live).unwrap().levels.pop().unwrap().content.unwrap().to_string();
    let version = system.versions(live, &Paging::new()).unwrap().items[0].id;
    let names = json!({ "project": "shop", "target": "api", "environment": "live" });
    let with = |more: Value| {
        let mut body = names.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(body)
    };
    let token = NewToken::new("bound", PermissionSet::ALL).scope(path("shop/api/live"));
    let token = system.issue_token(acme, &token).unwrap().info.id;
    let token = format!("/api/v1/organizations/{acme}/api-keys/{token}");
    let case = |method, address: String, body, renamed| Case {
        method,
        address,
        body,
        renamed,
        by_id: false,
        by_account: false,
    };
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
    let of_account = "/v1/environment".to_owned();
    let mut cases = vec![
        Case {
            method: "PATCH",
            address: project.to_owned(),
            body: Some(json!({ "description": "x" })),
            renamed: IN_PROJECT,
            by_id: false,
            by_account: false,
        },
        Case {
            method: "PATCH",
            address: project.to_owned(),
            body: Some(json!({ "name": "other" })),
            renamed: IN_PROJECT,
            by_id: false,
            by_account: false,
        },
        Case {
            method: "DELETE",
            address: project.to_owned(),
            body: None,
            renamed: IN_PROJECT,
            by_id: false,
            by_account: false,
        },
        Case {
            method: "POST",
            address: format!("{project}/environments"),
            body: Some(json!({ "name": "fresh", "secrets": [{ "name": "AA", "value": "1" }] })),
            renamed: IN_PROJECT,
            by_id: false,
            by_account: false,
        },
    ];
    for (at, by_id, by_account) in [(&at, false, false), (&by_id, true, false), (&of_account, true, true)] {
        let case =
            |method, address: String, body| Case { method, address, body, renamed: IN_CUSTOM, by_id, by_account };
        if !by_account {
            cases.push(case("PATCH", at.clone(), Some(json!({ "name": "other", "description": "x" }))));
            cases.push(case("DELETE", at.clone(), None));
            cases.push(case("POST", format!("{at}/changelog/{change}/revert"), None));
        }
        cases.extend(secrets.iter().map(|(method, rest, body)| case(method, format!("{at}/{rest}"), body.clone())));
        cases.push(case("PATCH", format!("{at}/{one}"), Some(json!({ "description": "x" }))));
        cases.push(case("PATCH", format!("{at}/{one}/status"), Some(json!({ "enabled": true }))));
        cases.push(case("POST", format!("{at}/{one}/signing-secret"), None));
        cases.push(case("POST", format!("{at}/{one}/test"), None));
        cases.push(case("DELETE", format!("{at}/{one}"), None));
    }
    cases
}

/// The keys of people: that of the project, and one that takes its place.
fn holders() -> &'static [Holder; 2] {
    static HOLDERS: OnceLock<[Holder; 2]> = OnceLock::new();
    HOLDERS.get_or_init(|| ["a-key-of-people", "a-key-that-is-newer"].map(Holder::new))
}

/// The project `shop`, of which people hold the key: its own level holds something, and held something else.
fn make_held_project(system: &Session<'_>, acme: OrganizationId) {
    let [holder, _] = holders();
    let project = NewProject::new("shop").key(holder.to_new_key());
    system.create_project(acme, &project).unwrap();
    for text in ["AA=1\n", "AA=2\n"] {
        let blob = NewBlob::new(holder.seal(text).parse().unwrap()).key_proof(holder.proof.as_str());
        system.set_blob(At::Path(acme, &path("shop")), &blob).unwrap();
    }
}

fn held_cases(world: &World) -> Vec<Case> {
    let [holder, newer] = holders();
    let here = format!("/api/v1/{}", world.stage.acme);
    let shop = world.stage.system().project(At::Path(world.stage.acme, &path("shop"))).unwrap().id;
    let rotation = over(newer.to_check(), &json!({ "secrets": [{ "id": shop, "content": newer.seal("AA=2\n") }] }));
    let stored = json!({ "project": "shop", "content": holder.seal("AA=3\n"), "key_proof": holder.proof });
    let case = |rest: &str, body| {
        let (address, renamed) = (format!("{here}/{rest}"), IN_PROJECT);
        Case { method: "POST", address, body: Some(body), renamed, by_id: false, by_account: false }
    };
    vec![
        case("secrets/store", stored),
        case("shop/secrets/rotate-client-keys", rotation),
        case("shop/encryption-key/custody", json!({ "managed": "server", "key": "a-key-of-people" })),
    ]
}

fn rotated_cases(world: &World) -> Vec<Case> {
    let [_, newer] = holders();
    let rotate = held_cases(world).remove(1);
    assert_eq!(world.send(&rotate).0, 200);
    let pending = format!("/api/v1/{}/shop/secrets/re-encrypt-history", world.stage.acme);
    let all = world.client.post(&format!("{pending}/pending"), &json!({})).json(200);
    let versions = json!([{ "id": all["data"][0]["id"], "content": newer.seal("AA=1\n") }]);
    let body = Some(json!({ "versions": versions, "key_proof": newer.proof }));
    vec![Case { method: "POST", address: pending, body, renamed: IN_PROJECT, by_id: false, by_account: false }]
}
