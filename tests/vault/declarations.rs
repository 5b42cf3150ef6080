//! What is declared is there, is there once, and is declared by a dump again.

use std::collections::BTreeMap;

use ioenv::ErrorKind::{Conflict, Denied, NotFound};
use ioenv::vault::StepKind::{Account, ServiceKey, Token, Webhook};
use ioenv::vault::{At, Declaration, EntryScope, Grantee, PermissionSet, Session, Step, StepAction, StepKind};
use ioenv::{Error, ErrorKind};

use super::stage::{DAY, Stage, path};

const TEAM: &str = include_str!("../../examples/team.toml");

fn declaration(text: &str) -> Declaration {
    Declaration::parse(text).unwrap()
}

/// What is done, or an error, and what was done before that.
fn apply(session: &Session<'_>, text: &str) -> (Vec<Step>, Result<(), Error>) {
    let mut steps = Vec::new();
    let applied = session.apply(&declaration(text), &mut |step| {
        steps.push(step);
        Ok(())
    });
    (steps, applied)
}

fn applied(session: &Session<'_>, text: &str) -> Vec<Step> {
    let (steps, applied) = apply(session, text);
    applied.unwrap();
    steps
}

fn count(steps: &[Step]) -> [usize; 3] {
    [StepAction::Created, StepAction::Updated, StepAction::Unchanged]
        .map(|action| steps.iter().filter(|step| step.action == action).count())
}

fn refused(session: &Session<'_>, text: &str) -> ErrorKind {
    apply(session, text).1.unwrap_err().kind()
}

/// All records but those of the audit log and of when something was read.
fn rows(stage: &Stage) -> BTreeMap<String, serde_json::Value> {
    let mut rows = stage.records("");
    rows.retain(|key, _| !key.starts_with("audit") && !key.starts_with("access/"));
    rows
}

on_every_store! {
    fn the_example_is_applied_once_and_dumped(stage: &Stage) {
        // That is what the stage calls its organization, too.
        stage.system().delete_organization(stage.acme).unwrap();
        let system = stage.system();
        let mut planned = Vec::new();
        let before = rows(stage);
        system.plan(&declaration(TEAM), &mut |step| { planned.push(step); Ok(()) }).unwrap();
        assert_eq!((count(&planned), rows(stage)), ([35, 0, 1], before));

        let steps = applied(&system, TEAM);
        assert_eq!(count(&steps), [35, 0, 1]);
        assert!(format!("{steps:?}").contains("[REDACTED]"));
        let told: Vec<StepKind> =
            steps.iter().filter(|step| step.credential.is_some()).map(|step| step.kind).collect();
        assert_eq!(told, [Account, ServiceKey, Token, Token, Webhook]);
        for step in steps.iter().filter(|step| step.kind == Token) {
            let token = ioenv::vault::Token::parse(step.credential.as_ref().unwrap().expose_secret()).unwrap();
            assert_eq!(Some(stage.vault.session(token).own_token().unwrap().id.into()), step.id);
        }

        let before = rows(stage);
        stage.pass(DAY);
        assert_eq!(count(&applied(&system, TEAM)), [0, 0, 36]);
        let dump = system.dump(None).unwrap().to_text();
        assert_eq!(count(&applied(&system, dump.expose_secret()))[..2], [0, 0]);
        assert_eq!(rows(stage), before);
        assert_eq!(system.dump(None).unwrap().to_text().expose_secret(), dump.expose_secret());
    }

    fn a_plan_tells_what_the_run_does(stage: &Stage) {
        let project = |more: &str| {
            format!("[[organization]]\nname = \"Plan\"\n[[organization.project]]\nname = \"p\"\n{more}")
        };
        let environment = |more: &str| format!("[[organization.project.environment]]\n{more}\n");
        let orbit = r#"
            [[organization]]
            name = "Orbit"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FB0"
            [[organization.team]]
            name = "backend"
            [[organization.role]]
            name = "reader"
            permissions = ["secret:read"]
            [[organization.member]]
            email = "mia@orbit.example"
            role = "custom:reader"
            teams = ["backend"]
            [[organization.project]]
            name = "shop"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FB2"
            [[organization.project.target]]
            name = "api"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FB4"
            [[organization.project.target.environment]]
            name = "live"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FB5"
            secrets.S = "planted"
            [[organization.grant]]
            team = "backend"
            path = "shop/api/live"
            role = "viewer"
            [[organization.account]]
            name = "reader"
            path = "shop/api/live"
            role = "viewer"
            [[organization.webhook]]
            url = "https://hooks.example/1"
            path = "shop/api/live"
            [[organization.token]]
            name = "ci"
            path = "shop/api"
            permissions = ["read"]
        "#;
        let documents = [
            TEAM.replace("acme", "other-acme"),
            // Environments that come with their project.
            project("base = true\n") + &environment("name = \"dev\""),
            project("base = true\n").replace("Plan", "Plan 2")
                + &environment("name = \"prod\"\nstatus = \"staging\"\ndescription = \"d\"\nvariables.A = \"1\"")
                + &environment("name = \"staging\"\nproduction = true")
                + &environment("name = \"qa\""),
            project("base = true\n").replace("Plan", "Plan 3")
                + &environment("name = \"prod\"\nproduction = true\nstatus = \"Production\"\ndescription = \"\""),
            // None of those in a target, or without `base`.
            project("").replace("Plan", "Plan 4") + &environment("name = \"dev\"") + &environment("name = \"prod\""),
            project("base = true\n[[organization.project.target]]\nname = \"t\"\n").replace("Plan", "Plan 5")
                + "[[organization.project.target.environment]]\nname = \"dev\"\n",
            orbit.to_owned(),
            // What has an id moves, and all that is at it.
            orbit.replace("shop", "store"),
            orbit.replace("shop", "store").replace("\"api\"", "\"rest\"").replace("store/api", "store/rest"),
            orbit.replace("shop", "mall").replace("\"live\"", "\"prod\"").replace("mall/api/live", "mall/api/prod"),
        ];
        let system = stage.system();
        let told = |step: &Step| {
            let path = step.path.as_ref().map(ToString::to_string);
            (step.action, step.kind, step.name.clone(), path, step.fields.clone())
        };
        for text in &documents {
            let mut planned = Vec::new();
            system.plan(&declaration(text), &mut |step| { planned.push(told(&step)); Ok(()) }).unwrap();
            let done: Vec<_> = applied(&system, text).iter().map(told).collect();
            assert_eq!(planned, done, "{text}");
            let mut planned = Vec::new();
            system.plan(&declaration(text), &mut |step| { planned.push(step); Ok(()) }).unwrap();
            assert_eq!(count(&planned)[..2], [0, 0], "{text}");
        }

        // What cannot be done is not planned.
        let text = project("base = true\n").replace("Plan", "Plan 9")
            + &environment("name = \"Development\"\nslug = \"dev\"");
        assert_eq!(system.plan(&declaration(&text), &mut |_| Ok(())).unwrap_err().kind(), ErrorKind::InvalidName);
        assert_eq!(refused(&system, &text), ErrorKind::InvalidName);

        // A user owns the organization that they make.
        let user = system.create_user(&ioenv::vault::NewUser::new("Mia", "mia@example.com")).unwrap();
        let session = stage.vault.session(ioenv::vault::Actor::User(user.id));
        let text = "[[organization]]\nname = \"Mine\"\n[[organization.member]]\nemail = \"mia@example.com\"\nrole = \"owner\"\n";
        let mut planned = Vec::new();
        session.plan(&declaration(text), &mut |step| { planned.push(told(&step)); Ok(()) }).unwrap();
        assert_eq!(planned, applied(&session, text).iter().map(told).collect::<Vec<_>>());
    }

    fn what_has_an_id_can_be_renamed(stage: &Stage) {
        let system = stage.system();
        let text = r#"
            [[organization]]
            name = "Orbit"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA0"
            [[organization.team]]
            name = "backend"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA1"
            [[organization.member]]
            email = "mia@orbit.example"
            id = "usr_02WP8qFtGJTkHk10j5u4aZ"
            role = "owner"
            [[organization.project]]
            name = "shop"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA2"
            base = true
            variables.A = "1"
            [[organization.project.environment]]
            name = "prod"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA3"
            [[organization.project.target]]
            name = "api"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA4"
            [[organization.project.target.environment]]
            name = "live"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA5"
            secrets.S = "planted"
            [[organization.token]]
            name = "ci"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA6"
            permissions = ["read"]
            [[organization.webhook]]
            url = "https://a.orbit.example/"
            id = "01ARZ3NDEKTSV4RRFFQ69G5FA7"
            path = "shop/api/live"
        "#;
        assert_eq!(count(&applied(&system, text)), [10, 0, 1]);
        let orbit = "01ARZ3NDEKTSV4RRFFQ69G5FA0".parse().unwrap();
        assert_eq!(system.environment(At::Path(orbit, &path("shop/prod"))).unwrap().id.to_string(), "01ARZ3NDEKTSV4RRFFQ69G5FA3");
        let renamed = text
            .replace("\"Orbit\"", "\"Orbit\"\nslug = \"orbit-2\"")
            .replace("\"backend\"", "\"server\"")
            .replace("mia@", "mia.o@")
            .replace("\"shop\"", "\"store\"")
            .replace("\"api\"", "\"server\"")
            .replace("\"live\"", "\"now\"")
            .replace("\"ci\"", "\"robot\"")
            .replace("https://a.", "https://b.");
        // A plan looks where things are, and tells where they will be.
        let mut planned = Vec::new();
        let with_path = renamed.replace("shop/api/live", "store/server/now");
        system.plan(&declaration(&with_path), &mut |step| { planned.push(step); Ok(()) }).unwrap();
        let steps = applied(&system, &with_path);
        assert_eq!(count(&steps), [0, 8, 3], "{steps:?}");
        assert!(steps.iter().all(|step| step.credential.is_none()));
        assert_eq!(system.organization(orbit).unwrap().slug, "orbit-2");
        let entries = system.entries(At::Path(orbit, &path("store/server/now")), EntryScope::Own).unwrap().entries;
        assert_eq!(entries[0].value.expose_secret(), "planted");
        assert_eq!(count(&applied(&system, &with_path)), [0, 0, 11]);
        // An id is that of one thing.
        let other = "[[organization]]\nname = \"Acme\"\nid = \"01ARZ3NDEKTSV4RRFFQ69G5FA0\"\n";
        assert_eq!(refused(&system, other), Conflict);
        let other = "[[organization]]\nname = \"Acme\"\n[[organization.project]]\nname = \"x\"\nid = \"01ARZ3NDEKTSV4RRFFQ69G5FA5\"\n";
        assert_eq!(refused(&system, other), Conflict);
    }

    fn what_was_revoked_or_cannot_be_changed_stays(stage: &Stage) {
        stage.shop();
        let system = stage.system();
        let token = "[[organization]]\nname = \"Acme\"\n[[organization.token]]\nname = \"ci\"\npermissions = [\"read\"]\nexpires = \"90d\"\n";
        let issued = applied(&system, token)[1].id.unwrap();
        let end = system.tokens(stage.acme).unwrap()[0].expires_at.unwrap();
        assert_eq!(end.since(stage.now()).as_secs(), 90 * 24 * 60 * 60);
        stage.pass(DAY);
        assert_eq!(count(&applied(&system, token)), [0, 0, 2]);
        assert_eq!(system.tokens(stage.acme).unwrap()[0].expires_at, Some(end));
        let until = token.replace("\"90d\"", "2032-01-01T00:00:00Z");
        assert_eq!(count(&applied(&system, &until)), [0, 1, 1]);
        assert_eq!(count(&applied(&system, &until)), [0, 0, 2]);
        assert_eq!(refused(&system, &format!("{token}path = \"shop\"\n")), Conflict);
        assert_eq!(refused(&system, &format!("{token}format = \"dotenv\"\n")), Conflict);
        system.revoke_token(stage.acme, issued.into()).unwrap();
        assert_eq!(count(&applied(&system, &token.replace("\"read\"", "\"write\""))), [0, 0, 2]);
        assert!(!system.dump(None).unwrap().to_text().expose_secret().contains("[[organization.token]]"));

        let account = "[[organization]]\nname = \"Acme\"\n[[organization.account]]\nname = \"api\"\npath = \"shop/dev\"\nrole = \"viewer\"\n";
        assert_eq!(count(&applied(&system, account)), [1, 0, 1]);
        assert_eq!(refused(&system, &account.replace("viewer", "admin")), Conflict);
        assert_eq!(refused(&system, &account.replace("shop/dev", "shop/nowhere")), NotFound);
    }

    fn others_apply_what_they_may(stage: &Stage) {
        stage.shop();
        let text = "[[organization]]\nname = \"Acme\"\n[[organization.project]]\nname = \"shop\"\nsecrets.S = \"planted\"\n";
        let worker = stage.session(PermissionSet::ALL, None);
        assert_eq!(count(&applied(&worker, text)), [1, 0, 2]);
        assert_eq!(count(&applied(&worker, text)), [0, 0, 3]);
        let bound = stage.session(PermissionSet::ALL, Some("shop/dev"));
        assert_eq!(refused(&bound, text), NotFound);
        assert_eq!(refused(&worker, &text.replace("\"shop\"", "\"x\"\nid = \"01ARZ3NDEKTSV4RRFFQ69G5FA2\"")), Denied);
        assert_eq!(refused(&worker, "[[organization]]\nname = \"Mine\"\n"), Denied);
        // What was deleted holds its id, and its tokens, until it is restored or removed.
        let id = "\nid = \"01ARZ3NDEKTSV4RRFFQ69G5FA2\"\nvariables.A = \"1\"\n";
        let text = format!("[[organization]]\nname = \"Acme\"\n[[organization.project]]\nname = \"kept\"{id}[[organization.token]]\nname = \"t\"\npermissions = [\"read\"]\npath = \"kept\"\n");
        assert_eq!(count(&applied(&stage.system(), &text)), [3, 0, 1]);
        stage.system().delete_project(At::Path(stage.acme, &path("kept"))).unwrap();
        assert_eq!(refused(&stage.system(), &text), Conflict);
        assert!(!stage.system().dump(None).unwrap().to_text().expose_secret().contains("\"t\""));
        stage.system().restore_project(stage.acme, "01ARZ3NDEKTSV4RRFFQ69G5FA2".parse().unwrap()).unwrap();
        assert_eq!(count(&applied(&stage.system(), &text)), [0, 0, 4]);
    }

    fn addresses_that_look_alike_are_of_two_people(stage: &Stage) {
        // The first letter of the one is the sign of the kelvin.
        let system = stage.system();
        let other = stage.member("\u{212a}ate@x", "workspace:member".parse().unwrap());
        let organization = "[[organization]]\nname = \"Acme\"\n";
        let project = "[[organization.project]]\nname = \"shop\"\n";
        let grant = "[[organization.grant]]\nuser = \"kate@x\"\npath = \"shop\"\nrole = \"full\"\n";
        assert_eq!(refused(&system, &format!("{organization}{project}{grant}")), NotFound);
        let member = |email: &str| format!("[[organization.member]]\nemail = \"{email}\"\nrole = \"workspace:admin\"\n");
        applied(&system, &format!("{organization}{project}{}{grant}", member("Kate@x")));
        let found = system.member(stage.acme, other).unwrap();
        assert_eq!((found.email.as_str(), found.role), ("\u{212a}ate@x", "workspace:member".parse().unwrap()));
        assert!(stage.user(other).projects(stage.acme).unwrap().is_empty());
        let kate = system.user_by_email("kate@x").unwrap().id;
        assert_eq!(system.granted(stage.acme, Grantee::User(kate)).unwrap().len(), 1);
        declaration(&format!("{organization}{}{}", member("kate@x"), member("\u{212a}ate@x")));
        let twice = format!("{organization}{}{}", member("kate@x"), member("KATE@X"));
        assert_eq!(Declaration::parse(&twice).unwrap_err().kind(), Conflict);
    }
}
