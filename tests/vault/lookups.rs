//! What a server asks before, and for lists: whose key it is, what is called so, and how much there is.

use ioenv::ErrorKind::{Conflict, Denied, InvalidName, NotFound, Unauthenticated};
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::{
    At, Confirmation, EntryPrecondition, EnvironmentUpdate, Grantee, Id, IdOrSlug, KeyOwner, LevelId, NewAccount,
    NewBlob, NewEnvironment, NewKey, NewOrganization, NewPersonalKey, NewProject, NewServiceAccount, NewServiceKey,
    NewWebhook, OrganizationId, Permission, PermissionSet, PersonalKeyLevel, ProjectUpdate, Search, Session, SlugRule,
    UseCase, Vocabulary,
};

use ioenv::{Aes256Gcm, Cipher as _, Error, Kind, LevelKey, SystemRandom};

use super::stage::{SECOND, Stage, entry, name, path, refused, slug};

const PROD: &str = "shop/api/prod";

type Ask<'a> = &'a dyn Fn(&Session<'_>, OrganizationId) -> Result<(), Error>;

fn by_slug(text: &str) -> IdOrSlug {
    IdOrSlug::Slug(slug(text))
}

on_every_store! {
    fn a_key_tells_whose_it_is(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        assert_eq!(system.own_key().unwrap(), None);

        let issued = stage.issue(Permission::SecretRead.into(), Some(PROD));
        let own = stage.vault.session(issued.token).own_key().unwrap().unwrap();
        assert_eq!((own.id, own.organization, own.owner), (issued.info.id.into(), stage.acme, KeyOwner::Token));
        assert_eq!((own.permissions, own.environment.unwrap().path), (Permission::SecretRead.into(), path(PROD)));
        for scope in [None, Some("shop"), Some("shop/api")] {
            let own = stage.session(Permission::SecretRead.into(), scope).own_key().unwrap().unwrap();
            assert_eq!((own.owner, own.environment), (KeyOwner::Token, None), "{scope:?}");
        }

        let made = system.create_account(At::Path(stage.acme, &path(PROD)), &NewAccount::new("runner", PermissionSet::EMPTY));
        let account = stage.vault.session(made.unwrap().key);
        let own = account.own_key().unwrap().unwrap();
        assert_eq!(own.owner, KeyOwner::Account);
        let at = own.environment.unwrap();
        let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap();
        let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        assert_eq!((at.project, at.id, at.path, at.is_production), (shop, prod.id, path(PROD), false));
        assert_eq!(at.rights, Permission::EnvironmentRead.into());

        let service = NewServiceAccount::new("ci", Permission::ProjectRead.into());
        let service = system.create_service_account(stage.acme, &service).unwrap().id;
        let key = system.create_service_key(stage.acme, service, &NewServiceKey::new("one")).unwrap();
        let own = stage.vault.session(key.key).own_key().unwrap().unwrap();
        assert_eq!((own.id, own.owner), (key.info.id.into(), KeyOwner::ServiceAccount(service)));

        let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
        assert_eq!(stage.user(ann).own_key().unwrap(), None, "in person");
        let key = NewPersonalKey::new("laptop", PersonalKeyLevel::ReadOnly);
        let key = stage.user(ann).create_personal_key(stage.acme, &key).unwrap();
        let session = stage.vault.session(key.key);
        let own = session.own_key().unwrap().unwrap();
        assert_eq!((own.id, own.owner, own.permissions), (key.info.id.into(), KeyOwner::User(ann), PersonalKeyLevel::ReadOnly.permissions()));

        system.delete_environment(At::Path(stage.acme, &path(PROD)), Confirmation::Missing).unwrap();
        assert_eq!(refused(account.own_key()), Unauthenticated);
    }

    fn places_are_found_by_slug_and_by_id(stage: &Stage) {
        stage.shop();
        stage.with_base("based");
        let system = stage.system();
        let shop = system.project(At::Path(stage.acme, &path("shop"))).unwrap().id;
        let dev = system.environment(At::Path(stage.acme, &path("shop/dev"))).unwrap().id;
        let prod = system.environment(At::Path(stage.acme, &path(PROD))).unwrap().id;
        let based = system.project(At::Path(stage.acme, &path("based"))).unwrap().id;
        let records = stage.logged(|| {
            for project in [by_slug("shop"), IdOrSlug::Id(shop.into())] {
                let found = system.find_project(stage.acme, &project).unwrap();
                assert_eq!((found.id, found.slug.as_str(), found.rights), (shop, "shop", PermissionSet::ALL));
                for environment in [by_slug("dev"), IdOrSlug::Id(dev.into())] {
                    let found = system.find_environment(stage.acme, &project, &environment).unwrap();
                    assert_eq!((found.project, found.id, found.path), (shop, dev, path("shop/dev")));
                }
                // A target, what stands below one, and a project.
                for other in [by_slug("api"), IdOrSlug::Id(prod.into()), IdOrSlug::Id(shop.into()), by_slug("none")] {
                    assert_eq!(refused(system.find_environment(stage.acme, &project, &other)), NotFound);
                }
            }
            for base in [by_slug("_base"), IdOrSlug::Id(based.into())] {
                assert_eq!(refused(system.find_environment(stage.acme, &by_slug("based"), &base)), NotFound);
            }
            assert_eq!(refused(system.find_environment(stage.acme, &by_slug("based"), &IdOrSlug::Id(dev.into()))), NotFound);
            assert_eq!(refused(system.find_project(stage.acme, &IdOrSlug::Id(dev.into()))), NotFound);
        });
        assert!(records.is_empty());
        let other = system.create_organization(NewOrganization::new("Other")).unwrap().id;
        assert_eq!(refused(system.find_project(other, &IdOrSlug::Id(shop.into()))), NotFound);

        let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
        let session = stage.user(ann);
        assert_eq!(refused(session.find_project(stage.acme, &IdOrSlug::Id(shop.into()))), NotFound);
        stage.grant("shop/dev", Grantee::User(ann), "viewer");
        let found = session.find_environment(stage.acme, &IdOrSlug::Id(shop.into()), &by_slug("dev")).unwrap();
        assert!(found.rights.contains(Permission::SecretRead) && !found.rights.contains(Permission::SecretWrite));
        let found = session.find_project(stage.acme, &by_slug("shop")).unwrap();
        assert!(found.rights.contains(Permission::ProjectRead) && !found.rights.contains(Permission::SecretRead));
        let bound = stage.session(PermissionSet::ALL, Some("shop/api"));
        assert_eq!(refused(bound.find_environment(stage.acme, &by_slug("shop"), &by_slug("dev"))), NotFound);
    }

    fn summaries_count_what_may_be_known(stage: &Stage) {
        stage.shop();
        stage.with_base("based");
        stage.write("shop/dev", "A=1\nB=2\n");
        let (system, acme) = (stage.system(), stage.acme);
        let project = |session: &Session<'_>, at: &str| session.project_summary(At::Path(acme, &path(at)));
        let level = |session: &Session<'_>, at: &str| session.level_summary(At::Path(acme, &path(at)));
        let records = stage.logged(|| {
            let (shop, based) = (project(&system, "shop").unwrap(), project(&system, "based").unwrap());
            assert_eq!((shop.environments, based.environments, shop.rights), (1, 3, PermissionSet::ALL));
            assert_eq!(refused(project(&system, "none")), NotFound);
            let counts = ["shop/dev", PROD].map(|at| level(&system, at).unwrap().entries);
            assert_eq!(counts, [2, 0]);
            assert_eq!(refused(level(&system, "shop/none")), NotFound);
        });
        assert!(records.is_empty());
        let metadata = system.entry_metadata(At::Path(acme, &path("shop/dev"))).unwrap();
        assert_eq!(metadata[0].last_accessed_at, None, "counting is no access");

        let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
        stage.grant(PROD, Grantee::User(ann), "viewer");
        let session = stage.user(ann);
        assert_eq!(project(&session, "shop").unwrap().environments, 0);
        assert_eq!(refused(project(&session, "based")), NotFound);
        assert_eq!(refused(level(&session, "shop/dev")), NotFound);
        // What only its people can open is not counted.
        let key = LevelKey::from_bytes(&[7; 32]);
        let proof = KeyProof::of(&key).to_text();
        let theirs = NewProject::new("theirs").key(NewKey::Client { derivation: None, proof: proof.clone(), hint: None });
        system.create_project(acme, theirs).unwrap();
        let blob = Aes256Gcm.seal(&key, b"A=1\n", &SystemRandom).unwrap();
        system.set_blob(At::Path(acme, &path("theirs")), &NewBlob::new(blob).key_proof(proof)).unwrap();
        assert_eq!(level(&system, "theirs").unwrap().entries, 0);
        // Whoever may not read secrets may know how many there are.
        let counter = stage.session(Permission::EnvironmentRead.into(), None);
        assert_eq!(level(&counter, "shop/dev").unwrap().entries, 2);
    }

    fn what_is_only_on_the_way_is_not_counted(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", PROD, "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        let acme = stage.acme;
        let ann = stage.member("ann@example.test", "workspace:member".parse().unwrap());
        stage.grant(PROD, Grantee::User(ann), "viewer");
        for session in [stage.user(ann), stage.session(PermissionSet::ALL, Some(PROD))] {
            for (at, contents) in [("shop", 1), ("shop/api", 1), (PROD, 1)] {
                assert_eq!(session.counts(At::Path(acme, &path(at))).unwrap().contents, contents, "{at}");
            }
            let level = |at: &str| session.level_summary(At::Path(acme, &path(at)));
            assert_eq!(["shop", "shop/api", PROD].map(|at| level(at).unwrap().entries), [0, 0, 1]);
            assert_eq!(refused(level("shop/dev")), NotFound);
        }
        let all = stage.session(PermissionSet::ALL, Some("shop")).counts(At::Path(acme, &path("shop"))).unwrap();
        assert_eq!((all.targets, all.environments, all.contents), (1, 2, 4));
    }

    fn calls_of_one_use_case_take_the_same_where_they_are_done(stage: &Stage) {
        stage.shop();
        stage.write(PROD, "A=1\n");
        let (system, acme) = (stage.system(), stage.acme);
        let other = system.create_organization(NewOrganization::new("Other")).unwrap().id;
        let webhook = system.create_webhook(At::Path(acme, &path(PROD)), &NewWebhook::new("https://a.example.com/in")).unwrap();
        let webhook = webhook.webhook.id;
        system.create_environment(At::Path(acme, &path("shop/api")), &NewEnvironment::new("test")).unwrap();
        let asked: [(UseCase, Ask<'_>); 6] = [
            (UseCase::ResolveLevel, &|session, id| session.export(At::Path(id, &path(PROD))).map(drop)),
            (UseCase::OpenBlobs, &|session, id| session.opened_blobs(At::Path(id, &path(PROD))).map(drop)),
            (UseCase::ListVersions, &|session, id| session.versions_from(At::Path(id, &path(PROD)), 0, 9).map(drop)),
            (UseCase::ListChanges, &|session, id| session.changes_from(At::Path(id, &path(PROD)), 0, 9).map(drop)),
            (UseCase::ListWebhookLogs, &|session, id| session.webhook_logs_from(At::Path(id, &path(PROD)), webhook, 0, 9).map(drop)),
            (UseCase::SetEntry, &|session, id| {
                session.set_entry(At::Path(id, &path(PROD)), &entry("A", "1"), Kind::Variable, &EntryPrecondition::new()).map(drop)
            }),
        ];
        for (use_case, ask) in asked {
            let needed = use_case.permissions();
            let records = stage.logged(|| ask(&stage.session(needed, Some(PROD)), acme).unwrap());
            // Setting what is there already changes nothing.
            assert!(!records.is_empty() || use_case == UseCase::SetEntry, "{use_case:?} is recorded");
            for permission in needed.iter() {
                let session = stage.session(PermissionSet::ALL.difference(permission.into()), None);
                assert_eq!(refused(ask(&session, acme)), Denied, "{use_case:?} without {permission}");
            }
            for elsewhere in ["shop/dev", "shop/api/test"] {
                let session = stage.session(PermissionSet::ALL, Some(elsewhere));
                assert_eq!(refused(ask(&session, acme)), NotFound, "{use_case:?} from {elsewhere}");
            }
            assert_eq!(refused(ask(&stage.session(PermissionSet::ALL, None), other)), NotFound, "{use_case:?}");
        }
    }

    fn what_takes_no_permission_tells_nothing_of_what_is_elsewhere(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        let other = system.create_organization(NewOrganization::new("Other")).unwrap().id;
        system.create_project(acme, NewProject::new("beside")).unwrap();
        let [prod, dev] = [PROD, "shop/dev"].map(|at| system.environment(At::Path(acme, &path(at))).unwrap().id);
        let theirs = system.create_project(other, NewProject::new("shop")).unwrap().id;
        let beside = system.project(At::Path(acme, &path("beside"))).unwrap().id;
        let session = stage.session(PermissionSet::ALL, Some(PROD));
        for (organization, at) in [(acme, "shop/dev"), (acme, "beside"), (acme, "none"), (other, "shop"), (other, "none")] {
            let (at, named) = (path(at), by_slug(path(at).project()));
            let none = |error: Error| assert_eq!(error.kind(), NotFound, "{at}");
            none(session.counts(At::Path(organization, &at)).unwrap_err());
            none(session.chain(At::Path(organization, &at)).unwrap_err());
            none(session.own_rights(At::Path(organization, &at)).unwrap_err());
            none(session.check_rights(organization, Some(&at), PermissionSet::EMPTY).unwrap_err());
            if path("shop") != path(at.project()) || organization == other {
                none(session.find_project(organization, &named).unwrap_err());
            }
            none(session.find_environment(organization, &named, &by_slug("dev")).unwrap_err());
            none(session.level_summary(At::Path(organization, &at)).unwrap_err());
        }
        for id in [LevelId::from(dev), theirs.into(), beside.into()] {
            let words = [session.locate(id).unwrap_err(), session.locate_environment(Id::from(id).into()).unwrap_err()];
            let unknown = Id::from_parts(stage.now(), [7; 10]);
            let nothing = [session.locate(unknown.into()).unwrap_err(), session.locate_environment(unknown.into()).unwrap_err()];
            assert_eq!(words.map(|error| error.to_string()), nothing.map(|error| error.to_string()));
        }
        let find = |id| session.find_environment(acme, &by_slug("shop"), &IdOrSlug::Id(id)).unwrap_err().to_string();
        assert_eq!(find(dev.into()), find(Id::from_parts(stage.now(), [7; 10])));
        assert_eq!(session.locate_environment(prod).unwrap(), (acme, path(PROD)));
        // Not even what is above may be asked for as if it were inside.
        assert_eq!(refused(session.check_rights(acme, Some(&path("shop")), PermissionSet::EMPTY)), NotFound);
    }

    fn an_environment_can_be_made_with_entries(stage: &Stage) {
        stage.shop();
        stage.write("shop", "# ioenv: variable\nA=0\n");
        let (system, acme) = (stage.system(), stage.acme);
        let mut new = NewEnvironment::new("full").entries(vec![entry("A", "1"), entry("B", "2").comment("about")]);
        system.create_environment(At::Path(acme, &path("shop")), &new).unwrap();
        assert_eq!(stage.text("shop/full").unwrap(), "# ioenv: variable\nA=1\n# about\nB=2\n");
        new = new.slug(slug("none")).entries(vec![entry("A", "1"), entry("A", "2")]);
        assert_eq!(refused(system.create_environment(At::Path(acme, &path("shop")), &new)), InvalidName);
        new = new.entries(vec![entry("A", "1")]);
        let shaper = stage.session(Permission::EnvironmentCreate.into(), None);
        assert_eq!(refused(shaper.create_environment(At::Path(acme, &path("shop")), &new)), Denied);
        assert_eq!(refused(system.environment(At::Path(acme, &path("shop/none")))), NotFound);
        let both = PermissionSet::of(&[Permission::EnvironmentCreate, Permission::SecretWrite]);
        stage.session(both, None).create_environment(At::Path(acme, &path("shop")), &new).unwrap();
    }

    fn any_slug_is_for_whoever_asks_for_it(stage: &Stage) {
        let (system, acme) = (stage.system(), stage.acme);
        let mut project = NewProject::new("Billing").slug(slug("billing"));
        assert_eq!(refused(system.create_project(acme, project.clone())), InvalidName);
        project = project.slug_rule(SlugRule::Any);
        system.create_project(acme, project.clone()).unwrap();
        assert_eq!(refused(system.create_project(acme, project.clone())), Conflict);
        for never in ["_base", "proj_0000000000000000000000"] {
            project = project.slug(slug(never));
            assert_eq!(refused(system.create_project(acme, project.clone())), InvalidName, "{never}");
        }
        let mut environment = NewEnvironment::new("x").slug(slug("_secrets")).slug_rule(SlugRule::Any);
        system.create_environment(At::Path(acme, &path("billing")), &environment).unwrap();
        environment = environment.slug(slug("_base"));
        assert_eq!(refused(system.create_environment(At::Path(acme, &path("billing")), &environment)), InvalidName);
        let mut update = EnvironmentUpdate::new().slug(slug("secrets"));
        let at = path("billing/_secrets");
        assert_eq!(refused(system.update_environment(At::Path(acme, &at), &update)), InvalidName);
        update = update.slug_rule(SlugRule::Any);
        system.update_environment(At::Path(acme, &at), &update).unwrap();
        stage.write("billing/secrets", "A=1\n");
        assert_eq!(stage.resolved("billing/secrets"), "A=1");
        let update = ProjectUpdate::new().slug(slug("user")).slug_rule(SlugRule::Any);
        system.update_project(At::Path(acme, &path("billing")), &update).unwrap();
        assert_eq!(stage.resolved("user/secrets"), "A=1");
    }

    fn what_is_found_tells_whether_it_is_in_an_environment(stage: &Stage) {
        stage.shop();
        for at in ["shop", "shop/api", PROD, "shop/dev"] {
            stage.write(at, "A=1\n");
        }
        let found = stage.system().search_entries(At::Path(stage.acme, &path("shop")), &Search::Name(name("A"))).unwrap();
        let environments: Vec<&str> =
            found.iter().filter(|entry| entry.is_environment).map(|entry| entry.path.as_str()).collect();
        assert_eq!((found.len(), environments), (4, vec![PROD, "shop/dev"]));
    }

    fn changes_are_paged_by_numbers_too(stage: &Stage) {
        stage.shop();
        for number in 0..50 {
            stage.pass(SECOND);
            stage.write(PROD, &format!("A={number}\n"));
        }
        let system = stage.system();
        let (all, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 0, 1000).unwrap();
        assert_eq!((all.len(), count), (50, 50));
        let (some, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 19, 3).unwrap();
        assert_eq!((some.len(), count), (3, 50));
        assert_eq!(some[0].id, all[19].id);
        assert_eq!(some[0].entries[0].new_value.as_ref().unwrap().expose_secret(), "30");
        let (none, count) = system.changes_from(At::Path(stage.acme, &path(PROD)), 50, 3).unwrap();
        assert_eq!((none.len(), count), (0, 50));
        let (none, count) = system.changes_from(At::Path(stage.acme, &path("shop/dev")), 0, 3).unwrap();
        assert_eq!((none.len(), count), (0, 0));
        let reader = stage.session(Permission::SecretRead.into(), None);
        assert_eq!(refused(reader.changes_from(At::Path(stage.acme, &path(PROD)), 0, 3)), Denied);
    }

    fn logs_of_webhooks_are_paged_by_numbers_too(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        let webhook = system.create_webhook(At::Path(acme, &path(PROD)), &NewWebhook::new("https://a.example.com/in")).unwrap();
        let id = webhook.webhook.id;
        let (logs, count) = system.webhook_logs_from(At::Path(acme, &path(PROD)), id, 0, 10).unwrap();
        assert_eq!((logs.len(), count), (0, 0));
        assert_eq!(refused(system.webhook_logs_from(At::Path(acme, &path("shop/dev")), id, 0, 10)), NotFound);
        let other = stage.session(Permission::SecretRead.into(), None);
        assert_eq!(refused(other.webhook_logs_from(At::Path(acme, &path(PROD)), id, 0, 10)), Denied);
    }
}

#[test]
fn words_that_would_help_are_named() {
    let missing =
        PermissionSet::of(&[Permission::SecretDecrypt, Permission::EnvironmentUpdate, Permission::SecretHistory]);
    assert_eq!(Vocabulary::Stashbase.words_giving(missing), ["environment.write", "secrets.read"]);
}
