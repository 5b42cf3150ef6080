//! Organizations, projects, targets and environments come, change and go.

use ioenv::ErrorKind::{
    Conflict, DecryptionFailed, Denied, InvalidName, InvalidValue, NotFound, Unauthenticated, Unconfirmed,
};
use ioenv::vault::{
    At, Confirmation, Custody, EnvironmentName, EnvironmentUpdate, LevelScope, Metadata, NewBlob, NewEnvironment,
    NewKey, NewOrganization, NewProject, NewTarget, NewToken, OrganizationStatus, OrganizationUpdate, Paging,
    PermissionSet, ProjectUpdate, Refusal, SecretFormat, TargetUpdate, Tier,
};
use ioenv::{Document, LevelPath};

use serde_json::json;

use super::stage::{MINUTE, Stage, path, refused, slug};

const ID_LIKE: [&str; 3] = ["env_Kk1Ll2Mm3Nn4Oo5Pp6Qq7R", "proj_0123456789abcdefghijAB", "org_0123456789abcdefghijAB"];

fn object(value: &serde_json::Value) -> Metadata {
    value.to_string().parse().unwrap()
}

on_every_store! {
    fn organizations(stage: &Stage) {
        let system = stage.system();
        let second = system.create_organization(&NewOrganization::new("ACME!")).unwrap();
        assert_eq!((second.slug.as_str(), second.tier, second.status), ("acme-2", Tier::Team, OrganizationStatus::Active));
        let taken = NewOrganization::new("Other").slug(slug("acme"));
        assert_eq!(refused(system.create_organization(&taken)), Conflict);
        for bad in ["", " ", "a\nb", ID_LIKE[2]] {
            assert_eq!(refused(system.create_organization(&NewOrganization::new(bad))), InvalidName, "{bad}");
        }
        stage.pass(MINUTE);
        let update = OrganizationUpdate::new().name("Orbit").slug(slug("orbit"));
        let updated = system.update_organization(second.id, &update).unwrap();
        assert_eq!((updated.name.as_str(), updated.slug.as_str(), updated.id), ("Orbit", "orbit", second.id));
        assert!(updated.updated_at > updated.created_at);
        // The old slug is free again.
        let third = system.create_organization(&NewOrganization::new("Acme")).unwrap();
        assert_eq!(third.slug, "acme-2");
        let slugs: Vec<String> = system.organizations().unwrap().into_iter().map(|one| one.slug).collect();
        assert_eq!(slugs, ["acme", "orbit", "acme-2"]);
        system.delete_organization(third.id).unwrap();
        assert_eq!(refused(system.organization(third.id)), NotFound);
    }

    fn only_an_active_organization_is_used(stage: &Stage) {
        stage.shop();
        let worker = stage.session(PermissionSet::ALL, None);
        for status in [OrganizationStatus::Suspended, OrganizationStatus::Locked, OrganizationStatus::Cancelled] {
            let mut update = OrganizationUpdate::new().status(status);
            assert_eq!(refused(worker.update_organization(stage.acme, &update)), Denied);
            stage.system().update_organization(stage.acme, &update).unwrap();
            assert_eq!(refused(worker.projects(stage.acme)), Denied);
            assert_eq!(refused(worker.read_level(At::Path(stage.acme, &path("shop")), LevelScope::Chain)), Denied);
            assert!(stage.system().projects(stage.acme).is_ok());
            update = update.status(OrganizationStatus::Active);
            stage.system().update_organization(stage.acme, &update).unwrap();
            assert!(worker.projects(stage.acme).is_ok());
        }
    }

    fn slugs(stage: &Stage) {
        let system = stage.system();
        let made = |name: &str| system.create_project(stage.acme, &NewProject::new(name)).unwrap().slug;
        assert_eq!([made("Orbit Shop"), made("orbit  shop"), made("Orbit-Shop!")], ["orbit-shop", "orbit-shop-2", "orbit-shop-3"]);
        assert_eq!(made("Secrets"), "secrets-2");
        assert_eq!(made("Versions"), "versions-2");
        assert_eq!(made(&format!("{} {}", "x".repeat(89), "y".repeat(20))).len(), 100);
        assert_eq!(made(&format!("{} {}", "x".repeat(89), "y".repeat(20))), format!("{}-2", "x".repeat(89)));
        let explicit = |text: &str| {
            let project = NewProject::new("p").slug(slug(text));
            system.create_project(stage.acme, &project)
        };
        assert_eq!(refused(explicit("orbit-shop")), Conflict);
        for reserved in ["projects", "secrets", "_base", "_x", "audit-log", "cli", ID_LIKE[0]] {
            assert_eq!(refused(explicit(reserved)), InvalidName, "{reserved}");
        }
        // What is reserved at one place is free at another.
        assert_eq!(explicit("targets").unwrap().slug, "targets");
        for reserved in ["targets", "secrets", "encryption-key", "members", "_base"] {
            let target = NewTarget::new("t").slug(slug(reserved));
            assert_eq!(refused(system.create_target(At::Path(stage.acme, &path("targets")), &target)), InvalidName, "{reserved}");
        }
        system.create_target(At::Path(stage.acme, &path("targets")), &NewTarget::new("projects")).unwrap();
        for reserved in ["environments", "secrets", "billing"] {
            let environment = NewEnvironment::new("e").slug(slug(reserved));
            let result = system.create_environment(At::Path(stage.acme, &path("targets/projects")), &environment);
            assert_eq!(refused(result), InvalidName, "{reserved}");
        }
        assert_eq!(refused(system.create_project(stage.acme, &NewProject::new("!"))), InvalidName);
        for id in ID_LIKE {
            assert_eq!(refused(system.create_project(stage.acme, &NewProject::new(id))), InvalidName);
            assert_eq!(refused(system.create_target(At::Path(stage.acme, &path("targets")), &NewTarget::new(id))), InvalidName);
            let environment = NewEnvironment::new(id);
            assert_eq!(refused(system.create_environment(At::Path(stage.acme, &path("targets")), &environment)), InvalidName);
            let update = ProjectUpdate::new().name(id);
            assert_eq!(refused(system.update_project(At::Path(stage.acme, &path("targets")), &update)), InvalidName);
        }
    }

    fn a_slug_that_is_refused_is_told_from_a_name(stage: &Stage) {
        stage.shop();
        let made = |name: &str, slug: Option<&str>| {
            let slug = slug.map(|slug| slug.parse().unwrap());
            let new = slug.into_iter().fold(NewProject::new(name), NewProject::slug);
            let error = stage.system().create_project(stage.acme, &new).unwrap_err();
            (error.kind(), error.refusal() == Some(Refusal::Slug))
        };
        assert_eq!(made("Shop", Some("shop")), (Conflict, true));
        assert_eq!(made("Shop", Some("secrets")), (InvalidName, true));
        assert_eq!(made("", Some("free")), (InvalidName, false));
        assert_eq!(made("!", None), (InvalidName, false));
        let update = TargetUpdate::new().slug(slug("dev"));
        let error = stage.system().update_target(At::Path(stage.acme, &path("shop/api")), &update).unwrap_err();
        assert!(error.kind() == Conflict && error.refusal() == Some(Refusal::Slug));
    }

    fn levels_and_tokens_survive_a_rename(stage: &Stage) {
        stage.shop();
        stage.write("shop", "P=1\n");
        stage.write("shop/api", "T=1\n");
        stage.write("shop/api/prod", "E=1\n");
        stage.write("shop/api/prod", "E=2\n");
        let worker = stage.session(PermissionSet::ALL, Some("shop/api/prod"));
        let system = stage.system();
        let id = system.environment(At::Path(stage.acme, &path("shop/api/prod"))).unwrap().id;

        let mut project = ProjectUpdate::new().slug(slug("store")).name("Store").description("web");
        let updated = system.update_project(At::Path(stage.acme, &path("shop")), &project).unwrap();
        assert_eq!((updated.name.as_str(), updated.description.as_deref()), ("Store", Some("web")));
        let mut target = TargetUpdate::new().slug(slug("backend"));
        system.update_target(At::Path(stage.acme, &path("store/api")), &target).unwrap();
        let environment = EnvironmentUpdate::new().slug(slug("live"));
        system.update_environment(At::Path(stage.acme, &path("store/backend/prod")), &environment).unwrap();

        assert_eq!(refused(system.project(At::Path(stage.acme, &path("shop")))), NotFound);
        assert_eq!(refused(system.target(At::Path(stage.acme, &path("store/api")))), NotFound);
        assert_eq!(refused(system.environment(At::Path(stage.acme, &path("store/backend/prod")))), NotFound);
        assert_eq!(stage.resolved("store/backend/live"), "E=2 P=1 T=1");
        assert_eq!(system.versions(At::Path(stage.acme, &path("store/backend/live")), &Paging::new()).unwrap().items.len(), 1);
        assert_eq!(worker.read_level(At::Path(stage.acme, &path("store/backend/live")), LevelScope::Chain).unwrap().resolve().len(), 3);
        assert_eq!(worker.own_token().unwrap().scope, Some(path("store/backend/live")));
        assert_eq!(worker.blobs(At::Id(id.into())).unwrap().levels.last().unwrap().path, path("store/backend/live"));

        // A taken one, of whatever kind.
        system.create_target(At::Path(stage.acme, &path("store")), &NewTarget::new("front")).unwrap();
        target = target.slug(slug("dev"));
        assert_eq!(refused(system.update_target(At::Path(stage.acme, &path("store/front")), &target)), Conflict);
        target = target.slug(slug("secrets"));
        assert_eq!(refused(system.update_target(At::Path(stage.acme, &path("store/front")), &target)), InvalidName);
        project = project.slug(slug("projects"));
        assert_eq!(refused(system.update_project(At::Path(stage.acme, &path("store")), &project)), InvalidName);
        system.create_project(stage.acme, &NewProject::new("taken")).unwrap();
        project = project.slug(slug("taken"));
        assert_eq!(refused(system.update_project(At::Path(stage.acme, &path("store")), &project)), Conflict);
    }

    fn a_new_project_with_a_base(stage: &Stage) {
        stage.with_base("shop");
        let system = stage.system();
        system.create_environment(At::Path(stage.acme, &path("shop")), &NewEnvironment::new("b-custom")).unwrap();
        system.create_environment(At::Path(stage.acme, &path("shop")), &NewEnvironment::new("a-custom")).unwrap();
        let all = system.environments(At::Path(stage.acme, &path("shop"))).unwrap();
        let shown: Vec<(&str, bool)> = all.iter().map(|one| (one.slug.as_str(), one.is_builtin)).collect();
        assert_eq!(
            shown,
            [("_base", true), ("dev", true), ("staging", true), ("prod", true), ("a-custom", false), ("b-custom", false)]
        );
        assert_eq!(all.iter().map(|one| one.is_production).collect::<Vec<_>>(), [false, false, false, true, false, false]);
        assert_eq!(system.environment(At::Path(stage.acme, &path("shop/_base"))).unwrap(), all[0]);
        assert_eq!(system.environment(At::Path(stage.acme, &path("shop"))).unwrap(), all[0]);

        let update = EnvironmentUpdate::new().name("other");
        for builtin in ["shop/_base", "shop", "shop/dev", "shop/prod"] {
            assert_eq!(refused(system.update_environment(At::Path(stage.acme, &path(builtin)), &update)), InvalidName, "{builtin}");
        }
        let update = EnvironmentUpdate::new().description("local");
        assert_eq!(refused(system.update_environment(At::Path(stage.acme, &path("shop/_base")), &update)), InvalidName);
        let dev = system.update_environment(At::Path(stage.acme, &path("shop/dev")), &update).unwrap();
        assert_eq!(dev.description.as_deref(), Some("local"));
        for force in [Confirmation::Missing, Confirmation::Given] {
            assert_eq!(refused(system.delete_environment(At::Path(stage.acme, &path("shop/_base")), force)), InvalidName);
        }
        assert_eq!(refused(system.delete_environment(At::Path(stage.acme, &path("shop/dev")), Confirmation::Missing)), Unconfirmed);
        system.delete_environment(At::Path(stage.acme, &path("shop/dev")), Confirmation::Given).unwrap();
        system.delete_environment(At::Path(stage.acme, &path("shop/a-custom")), Confirmation::Missing).unwrap();
        assert_eq!(refused(system.environment(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        // Nothing stands below `_base`.
        for bad in ["shop/_base/prod", "shop/_base/_base", "shop/prod/_base"] {
            assert_eq!(refused(system.read_level(At::Path(stage.acme, &path(bad)), LevelScope::Own)), NotFound, "{bad}");
        }
        stage.write("shop/_base", "A=1\n");
        assert_eq!(stage.text("shop").as_deref(), Some("A=1\n"));
    }

    fn without_a_base_there_is_none(stage: &Stage) {
        stage.shop();
        assert_eq!(refused(stage.system().read_level(At::Path(stage.acme, &path("shop/_base")), LevelScope::Own)), NotFound);
        assert_eq!(refused(stage.system().environment(At::Path(stage.acme, &path("shop")))), NotFound);
        let all = stage.system().environments(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(all.iter().map(|one| one.slug.as_str()).collect::<Vec<_>>(), ["dev"]);
    }

    fn environments_below_projects_and_targets(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let create = |parent: &str, environment: &NewEnvironment| {
            system.create_environment(At::Path(stage.acme, &path(parent)), environment)
        };
        assert_eq!(refused(create("shop/dev", &NewEnvironment::new("x"))), InvalidName);
        assert_eq!(refused(create("shop/none", &NewEnvironment::new("x"))), NotFound);
        let live = NewEnvironment::new("Live EU").status("production");
        let live = create("shop/api", &live).unwrap();
        assert_eq!((live.slug.as_str(), live.status.as_str(), live.is_production), ("live-eu", "production", true));
        let canary = NewEnvironment::new("canary").status("Pre Prod").is_production(true);
        let canary = create("shop", &canary).unwrap();
        assert_eq!((canary.status.as_str(), canary.is_production), ("pre-prod", true));
        let bad = NewEnvironment::new("bad").status("!");
        assert_eq!(refused(create("shop", &bad)), InvalidValue);
        let plain = create("shop", &NewEnvironment::new("plain")).unwrap();
        assert_eq!((plain.status.as_str(), plain.is_production), ("development", false));
        let update = EnvironmentUpdate::new().status("production");
        assert!(system.update_environment(At::Path(stage.acme, &path("shop/plain")), &update).unwrap().is_production);
        let slugs = |parent: &str| -> Vec<String> {
            system.environments(At::Path(stage.acme, &path(parent))).unwrap().into_iter().map(|one| one.slug).collect()
        };
        assert_eq!(slugs("shop"), ["canary", "dev", "plain"]);
        assert_eq!(slugs("shop/api"), ["live-eu", "prod"]);
        assert_eq!(refused(system.target(At::Path(stage.acme, &path("shop/dev")))), NotFound);
        assert_eq!(refused(system.environment(At::Path(stage.acme, &path("shop/api")))), NotFound);
    }

    fn what_is_deleted_takes_along_what_is_below(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", "shop/api/prod", "shop/dev"] {
            stage.write(at, "A=1\n");
            stage.write(at, "A=2\n");
        }
        let system = stage.system();
        let below = stage.session(PermissionSet::ALL, Some("shop/api/prod"));
        let beside = stage.session(PermissionSet::ALL, Some("shop/dev"));
        let version = system.versions(At::Path(stage.acme, &path("shop/api/prod")), &Paging::new()).unwrap().items[0].id;
        let target = system.target(At::Path(stage.acme, &path("shop/api"))).unwrap().id;
        let logged = stage.log().len();
        system.delete_target(At::Path(stage.acme, &path("shop/api"))).unwrap();
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("shop/api/prod")), LevelScope::Own)), NotFound);
        assert_eq!(refused(system.version(stage.acme, version)), NotFound);
        assert_eq!(refused(below.own_token()), Unauthenticated);
        assert!(beside.read_level(At::Path(stage.acme, &path("shop/dev")), LevelScope::Chain).is_ok());
        assert_eq!(stage.log().len(), logged + 2, "the log survives, and got a record of the deletion and of the read");

        // Made anew, it has nothing of what was there.
        system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("api")).unwrap();
        assert_eq!(stage.text("shop/api"), None);

        system.purge_target(stage.acme, target).unwrap();
        assert_eq!((stage.records("content/").len(), stage.records("version/").len()), (4, 2));
        let project = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        system.delete_project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_eq!(refused(beside.own_token()), Unauthenticated);
        assert_eq!(refused(system.project(At::Id(project.into()))), NotFound);
        system.purge_project(stage.acme, project).unwrap();
        assert_eq!(refused(beside.own_token()), Unauthenticated);
        let left: Vec<String> = stage.records("").into_keys().filter(|key| key.contains(&project.to_string())).collect();
        assert!(left.iter().all(|key| key.starts_with("audit-place/")), "{left:?}");
        stage.shop();
        assert_eq!(stage.text("shop"), None);

        let worker = stage.session(PermissionSet::ALL, None);
        system.delete_organization(stage.acme).unwrap();
        assert_eq!(refused(worker.own_token()), Unauthenticated);
        let left: Vec<String> = stage.records("").into_keys().filter(|key| !key.starts_with("audit")).collect();
        assert_eq!(left, ["vault"]);
        assert!(!stage.log().is_empty());
    }

    fn the_example_of_acme(stage: &Stage) {
        let system = stage.system();
        let acme = system.create_organization(&NewOrganization::new("Acme Inc")).unwrap().id;
        let store = slug("acme-store");
        system.create_project(acme, &NewProject::new("acme-store")).unwrap();
        let levels = [
            ("backend", "Production", "DATABASE_URL=postgres://prod\nSTRIPE_SECRET_KEY=sk_live\n"),
            ("backend", "Development", "DATABASE_URL=postgres://localhost\n"),
            ("frontend", "Production", "API_BASE_URL=https://api.acme.com\n"),
            ("frontend", "Development", "API_BASE_URL=http://localhost:8000\n"),
        ];
        for target in ["backend", "frontend"] {
            system.create_target(At::Path(acme, &LevelPath::from(&store)), &NewTarget::new(target)).unwrap();
        }
        for (target, status, text) in levels {
            let environment = NewEnvironment::new(status).status(status);
            let parent = path(&format!("acme-store/{target}"));
            let slug = system.create_environment(At::Path(acme, &parent), &environment).unwrap().slug;
            let at = path(&format!("{parent}/{slug}"));
            system.set_document(At::Path(acme, &at), &Document::parse(text).unwrap()).unwrap();
        }
        let resolved = |at: &str| -> Vec<String> {
            let resolved = system.read_level(At::Path(acme, &path(at)), LevelScope::Chain).unwrap().resolve();
            resolved.iter().map(|one| format!("{}={}", one.name(), one.value().expose_secret())).collect()
        };
        assert_eq!(
            resolved("acme-store/backend/production"),
            ["DATABASE_URL=postgres://prod", "STRIPE_SECRET_KEY=sk_live"]
        );
        assert_eq!(resolved("acme-store/backend/development"), ["DATABASE_URL=postgres://localhost"]);
        assert_eq!(resolved("acme-store/frontend/production"), ["API_BASE_URL=https://api.acme.com"]);
        assert_eq!(resolved("acme-store/frontend/development"), ["API_BASE_URL=http://localhost:8000"]);
        // A token of one part of the application does not see the other.
        let frontend = NewToken::new("build", PermissionSet::ALL).scope(path("acme-store/frontend"));
        let frontend = stage.vault.session(system.issue_token(acme, &frontend).unwrap().token);
        assert_eq!(frontend.read_level(At::Path(acme, &path("acme-store/frontend/production")), LevelScope::Chain).unwrap().resolve().len(), 1);
        assert_eq!(refused(frontend.read_level(At::Path(acme, &path("acme-store/backend/production")), LevelScope::Chain)), NotFound);
    }

    fn a_project_is_in_one_organization(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let other = system.create_organization(&NewOrganization::new("Other")).unwrap().id;
        assert_eq!(refused(system.project(At::Path(other, &path("shop")))), NotFound);
        // Another one may have a project of the name, which is another project.
        let theirs = system.create_project(other, &NewProject::new("shop")).unwrap();
        let ours = system.project(At::Path(stage.acme, &path("shop"))).unwrap();
        assert_ne!(theirs.id, ours.id);
        assert_eq!((theirs.organization, ours.organization), (other, stage.acme));
        assert_eq!(system.projects(other).unwrap(), [theirs]);
        assert_eq!(system.projects(stage.acme).unwrap(), [ours]);
        assert_eq!(stage.acme.to_string().len(), 26);
    }

    fn each_project_has_a_key_of_its_own(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        system.create_project(stage.acme, &NewProject::new("billing-api")).unwrap();
        let keys = ["shop", "billing-api"].map(|project| system.key(At::Path(stage.acme, &path(project))).unwrap().text.unwrap());
        assert_ne!(keys[0].expose_secret(), keys[1].expose_secret());
        stage.write("shop", "A=1\n");
        let blob = system.blobs(At::Path(stage.acme, &path("shop"))).unwrap().levels.pop().unwrap().content.unwrap();
        system.set_blob(At::Path(stage.acme, &path("billing-api")), &NewBlob::new(blob)).unwrap();
        assert_eq!(refused(system.read_level(At::Path(stage.acme, &path("billing-api")), LevelScope::Own)), DecryptionFailed);
    }

    fn a_project_is_made_as_it_was_asked_for(stage: &Stage) {
        let system = stage.system();
        let new = NewProject::new("production").description("Production application secrets").secret_format(SecretFormat::Env);
        let made = system.create_project(stage.acme, &new).unwrap();
        assert_eq!((made.name.as_str(), made.slug.as_str()), ("production", "production"));
        assert_eq!(made.description.as_deref(), Some("Production application secrets"));
        assert_eq!((made.secret_format, made.custody, made.key_version), (SecretFormat::Env, Custody::Server, 1));
        assert_eq!(system.project(At::Path(stage.acme, &path("production"))).unwrap(), made);
        assert!(system.key(At::Path(stage.acme, &path("production"))).unwrap().text.is_some(), "one was drawn");
        // Without a proof no key is held elsewhere.
        for bad in ["", "x", "AAAA"] {
            let client = NewProject::new("client").key(NewKey::Client { derivation: None, proof: bad.into(), hint: None });
            assert_eq!(refused(system.create_project(stage.acme, &client)), InvalidValue, "{bad}");
        }
        let update = ProjectUpdate::new().description("Updated description");
        let updated = system.update_project(At::Path(stage.acme, &path("production")), &update).unwrap();
        assert_eq!((updated.name, updated.description.as_deref()), (made.name, Some("Updated description")));
    }

    fn a_project_has_metadata(stage: &Stage) {
        let system = stage.system();
        let noted = object(&json!({ "team": "core", "n": [1, 2.5, 1e300], "nul": "\u{0}", "nested": { "b": 1, "a": 2 } }));
        let made = system.create_project(stage.acme, &NewProject::new("noted").metadata(noted.clone())).unwrap();
        assert_eq!(made.metadata, noted);
        assert_eq!(system.project(At::Path(stage.acme, &path("noted"))).unwrap().metadata, noted);
        let noted = object(&json!({ "team": "other" }));
        let update = ProjectUpdate::new().metadata(noted.clone());
        assert_eq!(system.update_project(At::Path(stage.acme, &path("noted")), &update).unwrap().metadata, noted);
        // Left alone where nothing is said, and removed by an empty one.
        let other = ProjectUpdate::new().name("Noted");
        assert_eq!(system.update_project(At::Path(stage.acme, &path("noted")), &other).unwrap().metadata, noted);
        let other = other.metadata(Metadata::new());
        assert!(system.update_project(At::Path(stage.acme, &path("noted")), &other).unwrap().metadata.is_empty());
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!([deep]);
        }
        for bad in [json!({ "long": "x".repeat(16 << 10) }), json!({ "deep": deep })] {
            assert_eq!(refused(bad.to_string().parse::<Metadata>()), InvalidValue);
        }
    }

    fn targets_come_change_and_go(stage: &Stage) {
        stage.system().create_project(stage.acme, &NewProject::new("my-app")).unwrap();
        let (system, at) = (stage.system(), path("my-app/us-east"));
        let new = NewTarget::new("us-east").description("US East region deployment");
        let made = system.create_target(At::Path(stage.acme, &path("my-app")), &new).unwrap();
        assert_eq!((made.slug.as_str(), made.description.as_deref()), ("us-east", Some("US East region deployment")));
        assert_eq!(system.targets(At::Path(stage.acme, &path("my-app"))).unwrap(), [made]);
        let update = TargetUpdate::new().name("US East").slug(slug("us-east"));
        assert_eq!(system.update_target(At::Path(stage.acme, &at), &update).unwrap().name, "US East");
        assert_eq!(system.target(At::Path(stage.acme, &at)).unwrap().name, "US East");
        system.delete_target(At::Path(stage.acme, &at)).unwrap();
        assert_eq!(refused(system.target(At::Path(stage.acme, &at))), NotFound);
        assert!(system.targets(At::Path(stage.acme, &path("my-app"))).unwrap().is_empty());
    }

    fn the_four_statuses(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        for word in ["Production", "Staging", "Development", "Local"] {
            let new = NewEnvironment::new(word).status(word);
            let made = system.create_environment(At::Path(stage.acme, &path("shop/api")), &new).unwrap();
            let lower = word.to_lowercase();
            assert_eq!((&made.slug, &made.status, made.is_production), (&lower, &lower, word == "Production"));
        }
        let update = EnvironmentUpdate::new().is_production(true).status("production");
        let updated = system.update_environment(At::Path(stage.acme, &path("shop/api/local")), &update).unwrap();
        assert_eq!((updated.status.as_str(), updated.is_production), ("production", true));
    }

    fn names_of_stashbase_can_be_used(stage: &Stage) {
        stage.shop();
        for name in ["dev_2", "api_dev", "production", "api-dev", "api-production", "api-ci_cd"] {
            let checked = EnvironmentName::new(name).unwrap();
            let new = NewEnvironment::new(name).slug(slug(name));
            let made = stage.system().create_environment(At::Path(stage.acme, &path("shop")), &new).unwrap();
            assert_eq!((made.name.as_str(), made.slug.as_str()), (checked.as_str(), name));
            stage.write(&format!("shop/{name}"), "A=1\n");
        }
    }

    fn a_level_is_one_content(stage: &Stage) {
        stage.shop();
        let lines: Vec<String> = (0..50).map(|number| format!("K{number}={number}\n")).collect();
        stage.write("shop", &lines.concat());
        assert_eq!((stage.records("level/").len(), stage.records("content/").len()), (1, 1));
    }
}
