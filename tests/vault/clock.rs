//! A clock that goes back a year loses nothing.

use ioenv::vault::{At, AuditFilter, LevelScope, OrganizationUpdate, Paging, PermissionSet, Restore};

use super::stage::{DAY, MINUTE, Stage, entry, path};

on_every_store! {
    fn a_clock_goes_back_a_year(stage: &Stage) {
        stage.shop();
        let update = OrganizationUpdate::new().version_retention_days(1);
        stage.system().update_organization(stage.acme, &update).unwrap();
        let issued = stage.issue(PermissionSet::ALL, None);
        let session = stage.vault.session(issued.token);
        let (at, system) = (path("shop/dev"), stage.system());
        let mut revisions = Vec::new();
        for value in ["1", "2"] {
            session.set_entries(At::Path(stage.acme, &at), &[entry("A", value)]).unwrap();
            revisions.push(stage.revision("shop/dev"));
        }
        let last_project = system.project(At::Path(stage.acme, &"shop".parse().unwrap())).unwrap().id;

        stage.pass(-365 * DAY);
        let before = stage.log().len();
        for value in ["3", "4"] {
            session.set_entries(At::Path(stage.acme, &at), &[entry("A", value)]).unwrap();
            revisions.push(stage.revision("shop/dev"));
        }
        assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
        let made = system.create_project(stage.acme, &ioenv::vault::NewProject::new("later")).unwrap().id;
        assert!(made > last_project, "ids go on");
        let log = stage.log();
        assert!(log[before..].iter().all(|record| record.timestamp == stage.now()), "what is stored later comes later");
        let seen = system.audit(stage.acme, &AuditFilter::new(), &Paging::new().limit(200)).unwrap().items;
        assert_eq!(seen.len(), log.len());
        assert!(seen.windows(2).all(|pair| pair[0].id > pair[1].id));
        assert_eq!(stage.vault.sweep().unwrap(), 0);

        // Versions of the future are open, and in order.
        let versions = system.versions(At::Path(stage.acme, &at), &Paging::new()).unwrap().items;
        assert_eq!(versions.len(), 3);
        assert!(versions.iter().all(|version| !version.is_locked));
        system.restore_version(stage.acme, versions[2].id, &Restore::new()).unwrap();
        assert_eq!(stage.resolved("shop/dev"), "A=1");
        // What is noted follows the clock.
        let used = || system.token(stage.acme, issued.info.id).unwrap().last_used_at;
        assert_eq!(used(), Some(stage.now()));
        stage.pass(MINUTE);
        session.read_level(At::Path(stage.acme, &at), LevelScope::Chain).unwrap().resolve();
        assert_eq!(used(), Some(stage.now()));
        assert_eq!(system.entry_metadata(At::Path(stage.acme, &path("shop/dev"))).unwrap()[0].version, 5);
    }
}
