//! The log has one record of each thing that was done, no value of a secret, and no longer a memory than the plan.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ioenv::ErrorKind::{InvalidValue, Io, NotFound};
use ioenv::Kind::{Secret, Variable};
use ioenv::store::{self, Access, KeyRange, Memory, Precondition, Record, Store, Transaction, Work};
use ioenv::vault::Action::{Create, Delete, Read, Update};
use ioenv::vault::{
    Action, At, AuditFilter, AuditRecord, Confirmation, EntryScope, EntryUpdate, LevelScope, NewToken,
    OrganizationUpdate, Paging, PermissionSet, ResourceKind, Restore, Search, Tier,
};
use ioenv::{Document, Error, Result, VarName};
use serde_json::{Value, json};

use super::stage::{DAY, SECOND, Stage, entry, name, names, path, refused};

fn details(record: &AuditRecord) -> Value {
    serde_json::to_value(&record.details).unwrap()
}

fn set_tier(stage: &Stage, tier: Tier) {
    let update = OrganizationUpdate::new().tier(tier);
    stage.system().update_organization(stage.acme, &update).unwrap();
}

/// So many names that the log stores them apart.
fn long_names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("QUITE_A_LONG_NAME_{number:03}")).collect()
}

type Test = Box<dyn Fn(&AuditRecord) -> bool>;

/// All that a filter finds, in pages of that length.
fn found(stage: &Stage, filter: &AuditFilter, limit: usize) -> Vec<AuditRecord> {
    let mut paging = Paging::new().limit(limit);
    let mut all = Vec::new();
    loop {
        let page = stage.system().audit(stage.acme, filter, &paging).unwrap();
        assert!(page.items.len() <= limit);
        all.extend(page.items);
        let Some(next) = page.next else { return all };
        paging = Paging::new().limit(limit).after(next);
    }
}

on_every_store! {
    fn a_record_says_who_what_and_where(stage: &Stage) {
        stage.shop();
        let issued = stage.issue(PermissionSet::ALL, None);
        let ip: IpAddr = "203.0.113.7".parse().unwrap();
        let session = stage.vault.session(issued.token).from_ip(ip);
        let at = path("shop/api/prod");
        let logged = stage.logged(|| {
            session.set_entries(At::Path(stage.acme, &at), &[entry("PORT", "80").kind(Variable), entry("KEY", "s3cr3t-1")]).unwrap();
            session.set_entries(At::Path(stage.acme, &at), &[entry("PORT", "81"), entry("KEY", "s3cr3t-2")]).unwrap();
            session.set_entries(At::Path(stage.acme, &at), &[entry("PORT", "81"), entry("KEY", "s3cr3t-2")]).unwrap();
            session.delete_entries(At::Path(stage.acme, &at), &names(["PORT", "KEY"])).unwrap();
            session.read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap().resolve();
        });
        let told: Vec<(Action, ResourceKind, Value)> =
            logged.iter().map(|record| (record.action, record.resource.kind, details(record))).collect();
        let (variable, secret) = (ResourceKind::Variable, ResourceKind::Secret);
        assert_eq!(told, [
            (Create, variable, json!({"newValue": "80"})),
            (Create, secret, json!({"changed": ["value"]})),
            (Update, variable, json!({"oldValue": "80", "newValue": "81", "changed": ["value"]})),
            (Update, secret, json!({"changed": ["value"]})),
            (Update, variable, json!({"changed": []})),
            (Update, secret, json!({"changed": []})),
            (Delete, variable, json!({"oldValue": "81"})),
            (Delete, secret, json!({"changed": ["value"]})),
            (Read, ResourceKind::Environment, json!({"op": "export", "count": 0, "keys": []})),
        ]);
        for record in &logged {
            assert_eq!((record.ip, record.timestamp), (Some(ip), stage.now()));
            assert_eq!((record.actor.id, record.actor.name.as_deref()), (Some(issued.info.id.into()), Some("worker")));
            assert_eq!(record.resource.path, Some(at.clone()));
        }
    }

    fn a_list_of_names_is_stored_once(stage: &Stage) {
        stage.shop();
        let at = path("shop/dev");
        let listed = long_names(200);
        let text = listed.join("=1\n") + "=1\n";
        stage.write("shop/dev", &text);
        let session = stage.vault.session(stage.issue(PermissionSet::ALL, None).token);
        let read = || drop(session.read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap());
        read();
        let (before, names) = (stage.dump("").len(), stage.dump("audit-names/"));
        for reads in 1..=3 {
            read();
            let written = stage.dump("").len() - before;
            assert!(written < reads * 1200, "{reads} reads: {written} bytes");
        }
        assert_eq!(stage.dump("audit-names/"), names);
        assert_eq!(names.lines().count(), 1);
        // Who reads the log finds the names, and exports have them.
        let filter = AuditFilter::new().action(Read);
        let records = found(stage, &filter, 2);
        let reads: Vec<Value> = records.iter().map(details).filter(|details| details["op"] == "export").collect();
        assert_eq!(reads.len(), 4);
        for details in reads {
            assert_eq!((&details["keys"], &details["count"]), (&json!(listed), &json!(200)));
        }
        let mut exported = Vec::new();
        stage.system().export_audit(stage.acme, &filter, &mut exported).unwrap();
        assert_eq!(String::from_utf8(exported).unwrap().matches("QUITE_A_LONG_NAME_199").count(), 4);
        // Some of the names refer to the same list, whichever these are.
        let at_level = At::Path(stage.acme, &at);
        let some = |step: usize| -> Vec<VarName> { listed.iter().step_by(step).map(|name| name.parse().unwrap()).collect() };
        drop(session.entries(at_level, EntryScope::Named(&some(2))).unwrap());
        let (before, names) = (stage.dump("").len(), stage.dump("audit-names/"));
        for step in 3..9 {
            drop(session.entries(at_level, EntryScope::Named(&some(step))).unwrap());
        }
        assert!(stage.dump("").len() - before < 6 * 1500, "{}", stage.dump("").len() - before);
        assert_eq!(stage.dump("audit-names/"), names);
        let page = stage.system().audit(stage.acme, &filter, &Paging::new().limit(1)).unwrap();
        assert_eq!(details(&page.items[0])["keys"], json!(some(8).iter().map(VarName::as_str).collect::<Vec<_>>()));
        // Another order is another list, and so is another organization's.
        session.read_level(At::Path(stage.acme, &at), LevelScope::Own).unwrap();
        stage.write("shop/dev", &format!("{text}ONE_MORE=1\n"));
        read();
        assert!(stage.records("audit-names/").len() > 1);
    }

    fn a_list_of_names_lives_while_a_record_refers_to_it(stage: &Stage) {
        stage.shop();
        set_tier(stage, Tier::Free);
        let at = path("shop/dev");
        let text = long_names(50).join("=1\n") + "=1\n";
        stage.write("shop/dev", &text);
        let read = || drop(stage.system().read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap());
        let lists = || ["audit-names/", "audit-names-use/", "audit-names-day/"].map(|prefix| stage.records(prefix).len());
        let sweep = || stage.vault.sweep().unwrap();
        let shown = || {
            let records = found(stage, &AuditFilter::new().action(Read), 50);
            let reads = records.iter().map(details).filter(|details| details["op"] == "export");
            reads.map(|details| details["keys"].as_array().unwrap().len()).collect::<Vec<_>>()
        };
        read();
        assert_eq!(lists(), [1, 1, 1]);
        stage.pass(3 * DAY);
        read();
        read();
        sweep();
        assert_eq!((lists(), shown()), ([1, 2, 2], vec![50, 50, 50]));
        // The first record is gone, and the list is not.
        stage.pass(5 * DAY);
        sweep();
        assert_eq!((lists(), shown()), ([1, 1, 1], vec![50, 50]));
        // Nothing is left of it, until it is read again.
        stage.pass(5 * DAY);
        sweep();
        assert_eq!((lists(), shown()), ([0, 0, 0], Vec::new()));
        read();
        sweep();
        assert_eq!((lists(), shown()), ([1, 1, 1], vec![50]));
    }

    fn lists_survive_sweeps_at_the_same_time(stage: &Stage) {
        stage.shop();
        set_tier(stage, Tier::Free);
        let at = path("shop/dev");
        let text = long_names(50).join("=1\n") + "=1\n";
        stage.write("shop/dev", &text);
        for _ in 0..5 {
            // Long enough that each round begins with what is to be swept.
            stage.pass(9 * DAY);
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| stage.vault.sweep().unwrap());
                    scope.spawn(|| drop(stage.system().read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap()));
                }
            });
            let records = found(stage, &AuditFilter::new().action(Read), 50);
            let reads: Vec<Value> = records.iter().map(details).filter(|details| details["op"] == "export").collect();
            assert_eq!(reads.len(), 3);
            assert!(reads.iter().all(|details| details["keys"].as_array().unwrap().len() == 50), "{reads:?}");
        }
    }

    fn each_thing_done_is_one_record(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop"));
        let one = |what: &str, action: Action, work: &dyn Fn()| {
            let logged = stage.logged(work);
            assert_eq!(logged.iter().map(|record| record.action).collect::<Vec<_>>(), [action], "{what}");
        };
        one("document", Create, &|| stage.write("shop", "A=1\n"));
        one("the same", Update, &|| stage.write("shop", "A=1\n"));
        one("a comment between", Update, &|| stage.write("shop", "# of all\n\nA=1\n"));
        assert_eq!(stage.text("shop").as_deref(), Some("# of all\n\nA=1\n"));
        one("read", Read, &|| drop(system.read_level(At::Path(stage.acme, &at), LevelScope::Own)));
        one("list", Read, &|| drop(system.entries(At::Path(stage.acme, &at), EntryScope::Resolved)));
        one("metadata", Read, &|| drop(system.entry_metadata(At::Path(stage.acme, &at))));
        one("blobs", Read, &|| drop(system.blobs(At::Path(stage.acme, &at))));
        one("search", Read, &|| drop(system.search_entries(At::Path(stage.acme, &"shop".parse().unwrap()), &Search::Name(name("A")))));
        one("versions", Read, &|| drop(system.versions(At::Path(stage.acme, &at), &Paging::new())));
        let id = system.versions(At::Path(stage.acme, &at), &Paging::new()).unwrap().items[0].id;
        one("version", Read, &|| drop(system.version(stage.acme, id)));
        one("changes", Read, &|| drop(system.changes(At::Path(stage.acme, &at), &Paging::new())));
        one("restore", Update, &|| _ = system.restore_version(stage.acme, id, &Restore::new()).unwrap());
        one("delete version", Delete, &|| system.delete_version(stage.acme, id, Confirmation::Missing).unwrap());
        one("delete level", Delete, &|| system.delete_level(At::Path(stage.acme, &at)).unwrap());
        one("issue", Create, &|| drop(stage.issue(PermissionSet::ALL, None)));
        let token = stage.issue(PermissionSet::ALL, Some("shop")).info;
        one("tokens", Read, &|| drop(system.tokens(stage.acme)));
        one("rotate", Update, &|| drop(system.rotate_token(stage.acme, token.id).unwrap()));
        one("revoke", Delete, &|| system.revoke_token(stage.acme, token.id).unwrap());
        let last = stage.log().pop().unwrap();
        assert_eq!(last.resource.kind, ResourceKind::Token);
        assert_eq!(last.resource.project, Some(system.project(At::Path(stage.acme, &"shop".parse().unwrap())).unwrap().id));
        one("audit", Read, &|| drop(system.audit(stage.acme, &AuditFilter::new(), &Paging::new())));
        one("export", Read, &|| drop(system.export_audit(stage.acme, &AuditFilter::new(), &mut Vec::new())));
        assert!(stage.logged(|| drop(system.read_level(At::Path(stage.acme, &path("none")), LevelScope::Own))).is_empty(), "what is refused is not recorded");
    }

    fn no_record_holds_a_secret(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let rename = EntryUpdate::new(name("A")).new_name(name("Z")).value("planted-5");
        let open = EntryUpdate::new(name("B")).kind(Variable).value("planted-6");
        let close = EntryUpdate::new(name("B")).kind(Secret).value("planted-7");
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "planted-1"), entry("B", "planted-2").comment("planted-3")]).unwrap();
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "planted-4")]).unwrap();
        system.update_entries(At::Path(stage.acme, &at), &[rename]).unwrap();
        system.update_entries(At::Path(stage.acme, &at), &[open]).unwrap();
        system.update_entries(At::Path(stage.acme, &at), &[close]).unwrap();
        stage.write("shop/dev", "Z=planted-8\n");
        let versions = system.versions(At::Path(stage.acme, &at), &Paging::new()).unwrap().items;
        for version in versions {
            system.restore_version(stage.acme, version.id, &Restore::new()).unwrap();
        }
        system.search_entries(At::Path(stage.acme, &"shop".parse().unwrap()), &Search::Value("planted-1".into())).unwrap();
        drop(system.changes(At::Path(stage.acme, &at), &Paging::new()).unwrap());
        system.delete_level(At::Path(stage.acme, &at)).unwrap();
        let audit = stage.dump("audit");
        assert!(audit.contains("\"key\":\"A\"") && !audit.contains("planted"));
        assert!(!stage.dump("").contains("planted"), "nor is any stored elsewhere");
    }

    fn what_becomes_a_secret_is_taken_out(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        for level in ["shop/dev", "shop"] {
            system.set_entries(At::Path(stage.acme, &path(level)), &[entry("A", "public-1").kind(Variable)]).unwrap();
        }
        for number in 0..250 {
            system.set_entries(At::Path(stage.acme, &at), &[entry("A", &format!("public-2-{number}"))]).unwrap();
        }
        system.set_entries(At::Path(stage.acme, &at), &[entry("B", "public-3").kind(Variable)]).unwrap();
        assert!(stage.dump("level").contains("public-2-249") && stage.dump("audit").contains("public-2-7"));
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "planted").kind(Secret)]).unwrap();
        let stored = stage.dump("");
        assert!(!stored.contains("public-2") && !stored.contains("planted"));
        assert!(stored.contains("public-3"), "of another name");
        assert!(stage.dump("audit").contains("public-1"), "of another level");
        let log = stage.log();
        let last = log.last().unwrap();
        assert_eq!(details(last), json!({"kind": {"from": "variable", "to": "secret"}, "changed": ["kind", "value"]}));
        let scrubbed = log.iter().filter(|record| details(record)["newValue"] == json!({"redacted": true})).count();
        assert_eq!(scrubbed, 251);
        // A whole document does the same.
        stage.write("shop/dev", "A=x\nB=planted\n");
        assert!(!stage.dump("").contains("public-3"));
    }

    fn what_becomes_a_secret_is_taken_out_under_former_names_too(stage: &Stage) {
        stage.shop();
        let (system, at) = (stage.system(), path("shop/dev"));
        let rename = |from: &str, to: &str| {
            let update = EntryUpdate::new(name(from)).new_name(name(to));
            system.update_entries(At::Path(stage.acme, &at), &[update]).unwrap();
        };
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "first-1").kind(Variable)]).unwrap();
        rename("A", "B");
        system.set_entries(At::Path(stage.acme, &at), &[entry("B", "second-2")]).unwrap();
        rename("B", "C");
        // Another entry by the same name, later.
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "other-3").kind(Variable)]).unwrap();
        system.set_entries(At::Path(stage.acme, &at), &[entry("C", "second-2").kind(Secret)]).unwrap();
        let stored = stage.dump("");
        assert!(!stored.contains("first-1") && !stored.contains("second-2"));
        assert!(stage.dump("audit").contains("other-3"));
        // Round and round it goes.
        rename("A", "D");
        rename("D", "A");
        system.set_entries(At::Path(stage.acme, &at), &[entry("A", "x").kind(Secret)]).unwrap();
        assert!(!stage.dump("").contains("other-3"));
    }

    fn filters_and_pages(stage: &Stage) {
        stage.shop();
        let worker = stage.issue(PermissionSet::ALL, None);
        let session = stage.vault.session(worker.token);
        let begin = stage.now();
        for number in 0..6 {
            stage.pass(SECOND);
            for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
                session.set_entries(At::Path(stage.acme, &path(at)), &[entry("A", &number.to_string()), entry("B", "1")]).unwrap();
            }
            session.delete_entries(At::Path(stage.acme, &path("shop/dev")), &names(["B"])).unwrap();
        }
        let log: Vec<AuditRecord> = stage.log().into_iter().rev().collect();
        let ids = |records: &[AuditRecord]| records.iter().map(|record| record.id).collect::<Vec<_>>();
        let project = stage.system().project(At::Path(stage.acme, &"shop".parse().unwrap())).unwrap().id;
        let under = |record: &AuditRecord, prefix: &str| {
            record.resource.path.as_ref().is_some_and(|at| at.as_str() == prefix || at.as_str().starts_with(&format!("{prefix}/")))
        };
        let (middle, late) = (begin.checked_add(std::time::Duration::from_secs(2)).unwrap(), begin.checked_add(std::time::Duration::from_secs(5)).unwrap());
        let mut cases: Vec<(AuditFilter, Test)> = Vec::new();
        let mut case = |filter: AuditFilter, test: Test| cases.push((filter, test));
        let actor = worker.info.id;
        case(AuditFilter::new().actor(actor.into()), Box::new(move |record| record.actor.id == Some(actor.into())));
        case(AuditFilter::new().action(Delete), Box::new(|record| record.action == Delete));
        case(AuditFilter::new().name(name("A")), Box::new(|record| record.resource.key == Some(name("A"))));
        case(AuditFilter::new().resource(ResourceKind::Secret), Box::new(|record| record.resource.kind == ResourceKind::Secret));
        case(AuditFilter::new().path(path("shop/api")), Box::new(move |record| under(record, "shop/api")));
        case(AuditFilter::new().path(path("shop/api/prod")), Box::new(move |record| under(record, "shop/api/prod")));
        case(AuditFilter::new().path(path("shop")), Box::new(move |record| record.resource.project == Some(project)));
        case(AuditFilter::new().since(middle), Box::new(move |record| record.timestamp >= middle));
        case(AuditFilter::new().until(middle), Box::new(move |record| record.timestamp < middle));
        case(
            AuditFilter::new().name(name("A")).path(path("shop/api")).action(Update).since(middle).until(late),
            Box::new(move |record| {
                record.resource.key == Some(name("A")) && under(record, "shop/api") && record.action == Update
                    && record.timestamp >= middle && record.timestamp < late
            }),
        );
        case(AuditFilter::new().path(path("shop/dev")).name(name("B")), Box::new(move |record| under(record, "shop/dev") && record.resource.key == Some(name("B"))));
        for (filter, test) in &cases {
            let expected: Vec<AuditRecord> = log.iter().filter(|record| test(record)).cloned().collect();
            assert!(expected.len() > 3, "{filter:?}");
            for limit in [1, 3, 200] {
                // What reading the log itself adds is newer than all of it.
                let newest = log[0].id;
                let got: Vec<AuditRecord> = found(stage, filter, limit).into_iter().filter(|record| record.id <= newest).collect();
                assert_eq!(ids(&got), ids(&expected), "{filter:?} {limit}");
            }
        }
        let system = AuditFilter::new().by_system(true);
        assert!(found(stage, &system, 7).iter().all(|record| record.actor.id.is_none()));
        let nowhere = Paging::new().limit(1).after("nowhere");
        assert_eq!(refused(stage.system().audit(stage.acme, &AuditFilter::new(), &nowhere)), InvalidValue);
        // Whoever is bound to a place sees what was done there and below.
        let bound = stage.session(PermissionSet::ALL, Some("shop/api"));
        let page = bound.audit(stage.acme, &AuditFilter::new(), &Paging::new().limit(200)).unwrap().items;
        let places: BTreeSet<String> = page.iter().filter_map(|record| record.resource.path.as_ref()).map(ToString::to_string).collect();
        assert_eq!(places.into_iter().collect::<Vec<_>>(), ["shop/api", "shop/api/prod"]);
        let outside = AuditFilter::new().path(path("shop/dev"));
        assert_eq!(refused(bound.audit(stage.acme, &outside, &Paging::new())), NotFound);
    }

    fn records_are_seen_as_long_as_the_plan_says(stage: &Stage) {
        stage.shop();
        let (begin, first) = (stage.now(), stage.log()[0].id);
        for (tier, days) in [(Tier::Free, 7), (Tier::Pro, 90), (Tier::Team, 365)] {
            set_tier(stage, tier);
            for (offset, is_seen) in [(-1, true), (0, true), (1, false)] {
                let now = begin.as_millis() + days * DAY + offset;
                stage.pass(now - stage.now().as_millis());
                let seen = found(stage, &AuditFilter::new(), 200).iter().any(|record| record.id == first);
                assert_eq!(seen, is_seen, "{tier} {offset}");
                let by_action = AuditFilter::new().action(Create);
                assert_eq!(found(stage, &by_action, 200).iter().any(|record| record.id == first), is_seen);
            }
        }
        // A downgrade hides at once, an upgrade shows again what was not swept.
        stage.pass(begin.as_millis() + 30 * DAY - stage.now().as_millis());
        let sees = |tier| {
            set_tier(stage, tier);
            found(stage, &AuditFilter::new(), 200).iter().any(|record| record.id == first)
        };
        assert_eq!([sees(Tier::Pro), sees(Tier::Free), sees(Tier::Pro)], [true, false, true]);
        sees(Tier::Free);
        stage.vault.sweep().unwrap();
        assert!(!sees(Tier::Team));
    }

    fn a_sweep_removes_what_is_too_old_and_nothing_else(stage: &Stage) {
        stage.shop();
        set_tier(stage, Tier::Free);
        let other = stage.system().create_organization(&ioenv::vault::NewOrganization::new("Other")).unwrap().id;
        let many: Vec<String> = (0..600).map(|number| format!("K{number}=1\n")).collect();
        let many = many.concat();
        stage.system().set_document(At::Path(stage.acme, &path("shop")), &Document::parse(&many).unwrap()).unwrap();
        let old = stage.log().len();
        stage.pass(8 * DAY);
        stage.write("shop", "A=1\n");
        let young: Vec<String> = stage.log().into_iter().skip(old).map(|record| record.id.to_string()).collect();
        let rest = || stage.records("").into_iter().filter(|(key, _)| !key.starts_with("audit")).collect::<Vec<_>>();
        let before = rest();
        assert_eq!(stage.vault.sweep().unwrap(), old as u64);
        assert_eq!(stage.vault.sweep().unwrap(), 0);
        assert_eq!(rest(), before);
        let own = format!("/{}/", stage.acme);
        let left: BTreeSet<String> = stage
            .records("audit")
            .into_keys()
            .filter(|key| key.contains(&own))
            .map(|key| key.rsplit('/').next().unwrap().to_owned())
            .collect();
        assert_eq!(left, young.into_iter().collect());
        assert_eq!(stage.records(&format!("audit/{other}/")).len(), 1, "it has another plan");
    }

    fn export_is_json_lines(stage: &Stage) {
        stage.shop();
        for number in 0..250 {
            stage.system().set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", &number.to_string())]).unwrap();
        }
        let log = stage.log();
        let mut out = Vec::new();
        let filter = AuditFilter::new().name(name("A"));
        let logged = stage.logged(|| {
            assert_eq!(stage.system().export_audit(stage.acme, &filter, &mut out).unwrap(), 250);
        });
        assert_eq!(logged.len(), 1);
        let lines: Vec<AuditRecord> =
            std::str::from_utf8(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let expected: Vec<AuditRecord> = log.into_iter().rev().filter(|record| record.resource.key.is_some()).collect();
        assert_eq!(lines, expected);
    }
}

/// A store that loses its audit log, when it is told to.
#[derive(Debug)]
struct Forgetful {
    below: Memory,
    fails: Arc<AtomicBool>,
}

struct Failing<'a>(&'a mut dyn Transaction);

fn lost() -> Error {
    Error::new(Io, "the log is full")
}

impl Store for Forgetful {
    fn transaction(&self, access: Access, work: &mut Work<'_>) -> Result<()> {
        if !self.fails.load(Ordering::Relaxed) {
            return self.below.transaction(access, work);
        }
        self.below.transaction(access, &mut |tx| work(&mut Failing(tx)))
    }

    fn check(&self) -> Result<()> {
        self.below.check()
    }
}

impl Transaction for Failing<'_> {
    fn get(&mut self, key: &str) -> Result<Option<String>> {
        self.0.get(key)
    }

    fn put(&mut self, key: &str, value: &str, when: Precondition) -> Result<()> {
        if key.starts_with("audit/") { Err(lost()) } else { self.0.put(key, value, when) }
    }

    fn delete(&mut self, key: &str) -> Result<bool> {
        self.0.delete(key)
    }

    fn scan(&mut self, range: &KeyRange, order: store::Order, limit: usize) -> Result<Vec<Record>> {
        self.0.scan(range, order, limit)
    }
}

#[test]
fn what_cannot_be_recorded_is_not_done() {
    let fails = Arc::new(AtomicBool::new(false));
    let stage = Stage::over(Arc::new(Forgetful { below: Memory::new(), fails: Arc::clone(&fails) }), None);
    stage.shop();
    stage.write("shop", "A=1\n");
    let before = stage.records("");
    fails.store(true, Ordering::Relaxed);
    let system = stage.system();
    assert_eq!(refused(system.set_entries(At::Path(stage.acme, &path("shop")), &[entry("A", "2")])), Io);
    assert_eq!(refused(system.delete_level(At::Path(stage.acme, &path("shop")))), Io);
    assert_eq!(refused(system.delete_project(At::Path(stage.acme, &"shop".parse().unwrap()))), Io);
    assert_eq!(refused(system.issue_token(stage.acme, &NewToken::new("t", PermissionSet::ALL))), Io);
    assert_eq!(
        refused(system.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain)),
        Io,
        "nor is anything told"
    );
    assert_eq!(stage.records(""), before);
    fails.store(false, Ordering::Relaxed);
    assert_eq!(stage.resolved("shop"), "A=1");
}
