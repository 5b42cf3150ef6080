//! What an update does not name stays; what it names is set or cleared, in the same way for everything.

use ioenv::vault::{
    At, EntryUpdate, EnvironmentUpdate, NewRole, NewToken, NewWebhook, Permission, PermissionSet, ProjectUpdate,
    RoleUpdate, TargetUpdate, TeamUpdate, TokenUpdate, WebhookUpdate,
};

use super::stage::{DAY, Stage, after, entry, name, path};

/// Updates a description in each way. `$update` applies an update and returns the description.
macro_rules! check_description {
    ($type:ident, $other:expr, $update:expr) => {{
        let update = $update;
        assert_eq!(update($type::new().description("about")).as_deref(), Some("about"), stringify!($type));
        assert_eq!(update($other).as_deref(), Some("about"), stringify!($type));
        assert_eq!(update($type::new().clear_description()), None, stringify!($type));
        // The last call counts, and an empty text is none.
        assert_eq!(update($type::new().clear_description().description("new")).as_deref(), Some("new"));
        assert_eq!(update($type::new().description("")), None, stringify!($type));
    }};
}

on_every_store! {
    fn a_description_stays_is_set_or_cleared(stage: &Stage) {
        stage.shop();
        let (system, acme) = (stage.system(), stage.acme);
        let (shop, api, prod) = (path("shop"), path("shop/api"), path("shop/api/prod"));
        let role = system.create_role(acme, &NewRole::new("releaser", PermissionSet::EMPTY)).unwrap().id;
        let team = stage.team("web", &[]);
        let webhook = NewWebhook::new("https://hooks.example.test/");
        let webhook = system.create_webhook(At::Path(acme, &prod), &webhook).unwrap().webhook.id;

        check_description!(ProjectUpdate, ProjectUpdate::new().name("Shop"), |update: ProjectUpdate| {
            system.update_project(At::Path(acme, &shop), &update).unwrap().description
        });
        check_description!(TargetUpdate, TargetUpdate::new().name("API"), |update: TargetUpdate| {
            system.update_target(At::Path(acme, &api), &update).unwrap().description
        });
        check_description!(EnvironmentUpdate, EnvironmentUpdate::new().name("Live"), |update: EnvironmentUpdate| {
            system.update_environment(At::Path(acme, &prod), &update).unwrap().description
        });
        check_description!(RoleUpdate, RoleUpdate::new().name("publisher"), |update: RoleUpdate| {
            system.update_role(acme, role, &update).unwrap().description
        });
        check_description!(TeamUpdate, TeamUpdate::new().name("Web"), |update: TeamUpdate| {
            system.update_team(acme, team, &update).unwrap().description
        });
        check_description!(
            WebhookUpdate,
            WebhookUpdate::new().url("https://other.example.test/"),
            |update: WebhookUpdate| system.update_webhook(At::Path(acme, &prod), webhook, &update).unwrap().description
        );
    }

    fn an_end_stays_is_set_or_cleared(stage: &Stage) {
        let (system, end) = (stage.system(), after(stage.now(), DAY));
        let token = NewToken::new("ci", Permission::SecretRead.into());
        let token = system.issue_token(stage.acme, &token).unwrap().info.id;
        let update = |update: TokenUpdate| system.update_token(stage.acme, token, &update).unwrap().expires_at;
        assert_eq!(update(TokenUpdate::new().expires_at(end)), Some(end));
        assert_eq!(update(TokenUpdate::new().name("CI")), Some(end));
        assert_eq!(update(TokenUpdate::new().clear_expires_at()), None);
    }

    fn a_comment_stays_is_set_or_cleared(stage: &Stage) {
        stage.shop();
        let (system, shop) = (stage.system(), path("shop"));
        let set = |new| {
            system.set_entries(At::Path(stage.acme, &shop), &[new]).unwrap();
            stage.text("shop").unwrap()
        };
        assert_eq!(set(entry("A", "1").comment("about")), "# about\nA=1\n");
        assert_eq!(set(entry("A", "2")), "# about\nA=2\n");
        assert_eq!(set(entry("A", "2").clear_comment()), "A=2\n");
        let update = |update| {
            system.update_entries(At::Path(stage.acme, &shop), &[update]).unwrap();
            stage.text("shop").unwrap()
        };
        assert_eq!(update(EntryUpdate::new(name("A")).comment("about")), "# about\nA=2\n");
        assert_eq!(update(EntryUpdate::new(name("A")).value("3")), "# about\nA=3\n");
        assert_eq!(update(EntryUpdate::new(name("A")).clear_comment()), "A=3\n");
    }
}
