//! `ioenv vault member`, `team`, `role`, `grant`, `account`, `service`, `personal-key`, `webhook`, `env`, `delete` and
//! `deleted`: real processes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::fs;
use std::process::Command;

use common::{Project, run, text};
use serde_json::Value;

const PLANTED: &str = "planted-3e7a";

/// A directory with a vault, which has `acme`, `acme/dev` and `acme/api/prod`.
struct Directory(Project);

impl Directory {
    fn new() -> Self {
        let project = Project::new(&[("gone", "")]);
        for file in ["ioenv.toml", "ioenv.sealed", "ioenv.key", ".ioenv.sealed.lock"] {
            fs::remove_file(project.file(file)).unwrap();
        }
        project.stdout(&["vault", "init", "--organization", "Acme"]);
        let directory = Self(project);
        for level in ["acme/dev", "acme/api/prod"] {
            directory.out(&["vault", "create", level]);
        }
        let set = run(&mut directory.command(&["set", "KEY", "--path", "acme/dev"]), PLANTED);
        assert!(set.status.success(), "{set:?}");
        directory
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.0.ioenv(args);
        command.env("IOENV_SOURCE", "vault");
        command
    }

    fn out(&self, args: &[&str]) -> String {
        let output = run(&mut self.command(args), "");
        assert!(output.status.success(), "{args:?}: {output:?}");
        text(&output.stdout)
    }

    /// `ioenv vault ...`, with its words in one text.
    fn vault(&self, args: &str) -> String {
        self.out(&["vault"].into_iter().chain(args.split(' ')).collect::<Vec<_>>())
    }

    fn json(&self, args: &str) -> Vec<Value> {
        serde_json::from_str(&self.vault(&format!("{args} --format json"))).unwrap()
    }

    fn refused(&self, args: &str) -> String {
        self.0.complaint(&["vault"].into_iter().chain(args.split(' ')).collect::<Vec<_>>())
    }

    fn works(&self, credential: &str, args: &[&str]) -> bool {
        let output = run(self.command(args).env("IOENV_TOKEN", credential.trim()), "");
        assert!(!text(&output.stderr).contains(PLANTED));
        output.status.success()
    }
}

/// Some cells of a list.
fn cells<'a>(rows: &'a [Value], columns: &[&str]) -> Vec<Vec<&'a str>> {
    let row = |row: &'a Value| columns.iter().map(|column| row[*column].as_str().unwrap_or("")).collect();
    rows.iter().map(row).collect()
}

#[test]
fn people_come_and_go() {
    let directory = Directory::new();
    directory.vault("role create support --permission project:read,environment:read");
    directory.vault("team create Backend --description APIs");
    directory.vault("team create web");
    directory.vault("member add mia@acme.example --role owner");
    directory.vault("member add jonas@acme.example --name Jonas --role custom:Support --team backend,web");
    let members = directory.json("member list");
    assert_eq!(
        cells(&members, &["email", "name", "role", "teams"]),
        [["mia@acme.example", "mia", "owner", ""], ["jonas@acme.example", "Jonas", "custom:support", "Backend, web"],]
    );
    let table = directory.vault("member list");
    assert!(table.starts_with("ID ") && table.lines().count() == 3, "{table}");
    assert_eq!(cells(&directory.json("team members BACKEND"), &["email"]), [["jonas@acme.example"]]);
    directory.vault("team remove web jonas@acme.example");
    directory.vault("team add web mia@acme.example");
    directory.vault("member update jonas@acme.example --role developer");
    let members = directory.json("member list");
    assert_eq!(cells(&members, &["role", "teams"]), [["owner", "web"], ["developer", "Backend"]]);
    assert!(directory.refused("member update mia@acme.example --role member").contains("owner"));
    assert!(directory.refused("member remove nobody@acme.example").contains("no such member"));
    // By id, too.
    directory.vault(&format!("member remove {}", members[1]["id"].as_str().unwrap()));
    directory.vault("team update Backend --name API");
    directory.vault("team delete api");
    assert_eq!(cells(&directory.json("team list"), &["name", "description"]), [["web", ""]]);
    directory.vault("role update support --description Help --permission project:read");
    assert_eq!(
        cells(&directory.json("role list"), &["name", "permissions", "description"]),
        [["support", "project:read", "Help"]]
    );
    directory.vault("role delete support");

    let code = directory.vault("member invite aiko@acme.example --role developer --expires 7d");
    let invitations = directory.json("member invitations");
    assert_eq!(cells(&invitations, &["email", "role"]), [["aiko@acme.example", "developer"]]);
    assert!(!format!("{invitations:?}").contains(code.trim()) && code.trim().len() > 16);
    directory.vault(&format!("member withdraw {}", invitations[0]["id"].as_str().unwrap()));
    assert!(directory.json("member invitations").is_empty());
}

#[test]
fn what_somebody_created_is_shown_and_revoked() {
    let directory = Directory::new();
    directory.vault("member add mia@acme.example --role owner");
    directory.vault("member add jonas@acme.example --role owner");
    let members = directory.json("member list");
    let mia = members[0]["id"].as_str().unwrap();
    let key = directory.vault("personal-key create laptop --user mia@acme.example");
    let with_key = |args: &str| {
        let mut command = directory.command(&["vault"].into_iter().chain(args.split(' ')).collect::<Vec<_>>());
        let output = run(command.env("IOENV_TOKEN", key.trim()), "");
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    let token = with_key("token create mine --permission secret:read,secret:decrypt");
    with_key("service create robot --permission project:read");
    with_key("service key robot k");
    with_key("account create runner --role viewer --path acme/dev");
    let list = directory.vault("token list");
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].ends_with("CREATED BY"), "{list}");
    assert!(lines[1].ends_with("system ioenv command") && lines[2].ends_with(&format!("user mia {mia}")), "{list}");
    for list in ["service list", "service keys robot", "account list --path acme/dev"] {
        assert_eq!(cells(&directory.json(list), &["created_by"]), [[format!("user mia {mia}")]], "{list}");
    }

    let read = ["get", "KEY", "--path", "acme/dev"];
    let removed = run(&mut directory.command(&["vault", "member", "remove", "mia@acme.example"]), "");
    let shown = text(&removed.stderr);
    let hint = format!("ioenv vault token revoke --created-by {mia}");
    assert!(removed.status.success() && shown.contains("3 tokens") && shown.contains(&hint), "{shown}");
    assert!(directory.works(&token, &read));
    let revoked = run(&mut directory.command(&["vault", "token", "revoke", "--created-by", mia]), "");
    assert!(revoked.status.success() && text(&revoked.stderr).contains("revoked 3 tokens"), "{revoked:?}");
    assert!(!directory.works(&token, &read));
    let removed = run(&mut directory.command(&["vault", "member", "remove", "jonas@acme.example"]), "");
    assert!(!text(&removed.stderr).contains("still work"), "{removed:?}");

    for wrong in ["token revoke", &format!("token revoke {mia} --created-by {mia}"), "token revoke --created-by mia"] {
        let mut command = directory.command(&["vault"].into_iter().chain(wrong.split(' ')).collect::<Vec<_>>());
        assert_eq!(run(&mut command, "").status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn rights_are_given_and_taken_back() {
    let directory = Directory::new();
    directory.vault("member add mia@acme.example --role member");
    directory.vault("team create backend");
    directory.vault("grant give editor --team backend --path acme");
    directory.vault("grant give viewer --user mia@acme.example --path acme/dev");
    directory.vault("grant give admin --user mia@acme.example --path acme/dev");
    assert_eq!(cells(&directory.json("grant list --path acme/dev"), &["who", "role"]), [["mia@acme.example", "admin"]]);
    assert_eq!(cells(&directory.json("grant list --path acme"), &["who", "role"]), [["team backend", "editor"]]);
    directory.vault("grant revoke --user mia@acme.example --path acme/dev");
    assert!(directory.json("grant list --path acme/dev").is_empty());
    assert!(directory.refused("grant give full --team backend --path acme/dev").contains("`viewer` `editor` `admin`"));
    assert!(directory.refused("grant list --path acme/nothing").contains("ioenv vault create acme/nothing"));
}

#[test]
fn accounts_and_service_accounts_have_keys_that_are_shown_once() {
    let directory = Directory::new();
    let read = ["get", "KEY", "--path", "acme/dev"];
    let key = directory.vault("account create api --role viewer --expires 30d --path acme/dev");
    assert!(key.starts_with("sb_env_") && key.lines().count() == 1 && directory.works(&key, &read));
    assert!(!directory.works(&key, &["get", "KEY", "--path", "acme/api/prod"]));
    let accounts = directory.json("account list --path acme/dev");
    assert_eq!(cells(&accounts, &["name", "permissions"]), [["api", "read"]]);
    assert!(accounts[0]["expires"].is_string() && !format!("{accounts:?}").contains(key.trim()));
    directory.vault("account delete api --path acme/dev");
    assert!(!directory.works(&key, &read));

    directory.vault("service create deployer --permission environment.read,secrets.read");
    let key = directory.vault("service key deployer ci --expires 30d");
    assert!(key.starts_with("sb_service_") && directory.works(&key, &read));
    assert_eq!(cells(&directory.json("service keys deployer"), &["name"]), [["ci"]]);
    directory.vault("service update deployer --name releaser --allow 192.0.2.0/24");
    assert_eq!(cells(&directory.json("service list"), &["name", "from"]), [["releaser", "192.0.2.0/24"]]);
    directory.vault("service delete-key releaser CI");
    assert!(!directory.works(&key, &read));
    directory.vault("service delete releaser");
    assert!(directory.json("service list").is_empty());
}

#[test]
fn webhooks_are_made_and_looked_after() {
    let directory = Directory::new();
    let at = "--path acme/dev";
    let secret = directory.vault(&format!("webhook create https://hooks.acme.example/x --description Restart {at}"));
    assert!(secret.starts_with("whsec_") && secret.lines().count() == 1);
    let webhooks = directory.json(&format!("webhook list {at}"));
    assert_eq!(
        cells(&webhooks, &["url", "state", "description"]),
        [["https://hooks.acme.example/x", "disabled", "Restart"]]
    );
    let id = webhooks[0]["id"].as_str().unwrap();
    directory.vault(&format!("webhook enable {id} {at}"));
    directory.vault(&format!("webhook update {id} --url https://hooks.acme.example/y {at}"));
    let webhooks = directory.json(&format!("webhook list {at}"));
    assert_eq!(cells(&webhooks, &["url", "state"]), [["https://hooks.acme.example/y", "enabled"]]);
    let other = directory.vault(&format!("webhook rotate {id} {at}"));
    assert!(other.starts_with("whsec_") && other != secret);
    assert!(directory.json(&format!("webhook logs {id} {at}")).is_empty());
    // The name is not known here.
    let tested = directory.refused(&format!("webhook test {id} {at}"));
    assert!(tested.contains("the webhook did not take the event: E"), "{tested}");
    directory.vault("webhook run --once");
    directory.vault(&format!("webhook disable {id} {at}"));
    directory.vault(&format!("webhook delete {id} {at}"));
    assert!(directory.json(&format!("webhook list {at}")).is_empty());
}

#[test]
fn environments_are_changed_deleted_and_restored() {
    let directory = Directory::new();
    directory.vault("env update acme/dev --name Development --status staging --production true");
    assert_eq!(
        cells(&directory.json("env list acme"), &["path", "name", "status", "production"]),
        [["acme/dev", "Development", "staging", "yes"]]
    );
    directory.vault("env delete acme/dev");
    assert!(directory.json("env list acme").is_empty());
    let deleted = directory.json("deleted list");
    assert_eq!(cells(&deleted, &["kind", "path"]), [["environment", "acme/dev"]]);
    let id = deleted[0]["id"].as_str().unwrap();
    directory.vault(&format!("deleted restore {id}"));
    assert_eq!(directory.out(&["get", "KEY", "--path", "acme/dev"]), PLANTED);
    directory.vault("env delete acme/dev");
    let unconfirmed = run(&mut directory.command(&["vault", "deleted", "purge", id]), "");
    assert_eq!(unconfirmed.status.code(), Some(2));
    directory.vault(&format!("deleted purge {id} --yes"));
    assert!(directory.refused(&format!("deleted restore {id}")).contains("see `list`"));
}

#[test]
fn a_project_is_copied_to_files() {
    let directory = Directory::new();
    let files = directory.0.file("copies");
    fs::create_dir(&files).unwrap();
    let files = files.to_str().unwrap();
    directory.vault("integration link file --name Copies --map acme/dev=dev.env --path acme");
    let listed = directory.json("integration list --path acme");
    assert_eq!(
        cells(&listed, &["name", "provider", "map", "state"]),
        [["Copies", "file", "acme/dev=dev.env", "disabled"]]
    );
    let id = listed[0]["id"].as_str().unwrap();
    let planned = directory.json(&format!("integration plan {id} --directory {files} --path acme"));
    assert_eq!(
        cells(&planned, &["environment", "target", "change", "name"]),
        [["acme/dev", "dev.env", "create", "KEY"]]
    );
    directory.vault(&format!("integration sync {id} --directory {files} --path acme"));
    let own = fs::read_dir(files).unwrap().next().unwrap().unwrap().path();
    let copied = fs::read_to_string(own.join("dev.env")).unwrap();
    assert_eq!(copied, format!("KEY={PLANTED}\n"));
    let refused = directory.refused(&format!("integration sync {id} --path acme"));
    assert!(refused.contains("no target for file"), "{refused}");
    let runs = directory.json(&format!("integration runs {id} --path acme"));
    assert_eq!(cells(&runs, &["created", "unchanged"])[1], ["1", "0"]);

    directory.vault(&format!("integration update {id} --name Files --enable --path acme"));
    assert!(run(&mut directory.command(&["set", "KEY", "--path", "acme/dev"]), "another").status.success());
    #[cfg(feature = "worker")]
    {
        directory.vault(&format!("webhook run --once --directory {files}"));
        assert_eq!(fs::read_to_string(own.join("dev.env")).unwrap(), "KEY=another\n");
    }
    directory.vault(&format!("integration unlink {id} --path acme"));
    assert!(directory.json("integration list --path acme").is_empty());
    assert!(own.join("dev.env").exists(), "nothing is removed there");

    // The token of a service is piped in, and seen nowhere.
    let link =
        ["vault", "integration", "link", "vercel", "--setting", "project=p", "--map", "acme/dev", "--path", "acme"];
    let linked = run(&mut directory.command(&link), PLANTED);
    assert!(linked.status.success() && !format!("{linked:?}").contains(PLANTED), "{linked:?}");
    let listed = directory.vault("integration list --path acme");
    assert!(listed.contains("acme/dev=development") && !listed.contains(PLANTED), "{listed}");
}

#[test]
fn members_have_keys_and_accept_invitations() {
    let directory = Directory::new();
    let code = directory.vault("member invite mia@acme.example --role developer");
    let accepted = run(&mut directory.command(&["vault", "member", "accept", "Mia Ortiz"]), code.trim());
    assert!(accepted.status.success(), "{accepted:?}");
    let again = run(&mut directory.command(&["vault", "member", "accept", "Mia"]), code.trim());
    assert!(!again.status.success() && !text(&again.stderr).contains(code.trim()), "{again:?}");
    let members = directory.json("member list");
    let row = vec!["mia@acme.example", "Mia Ortiz", "developer"];
    assert!(cells(&members, &["email", "name", "role"]).contains(&row), "{members:?}");

    let of = "--user mia@acme.example";
    let key = directory.vault(&format!("personal-key create laptop {of} --level read_only --expires 30d"));
    assert!(key.starts_with("sb_personal_"));
    let read = ["get", "KEY", "--path", "acme/dev"];
    assert!(directory.works(&key, &read));
    assert!(!directory.works(&key, &["set", "KEY", "2", "--path", "acme/dev"]), "it reads");
    let keys = directory.json(&format!("personal-key list {of}"));
    assert_eq!(cells(&keys, &["name", "level", "from"]), [["laptop", "read_only", ""]]);
    directory.vault(&format!("personal-key delete LAPTOP {of}"));
    assert!(!directory.works(&key, &read));
    let from = directory.vault(&format!("personal-key create office {of} --allow 192.0.2.0/24"));
    assert!(!directory.works(&from, &read), "nobody knows from where a command on this machine comes");
    directory.refused("personal-key create laptop --user nobody@acme.example");
}

#[test]
fn what_is_deleted_by_its_path_is_restored_by_its_id() {
    let directory = Directory::new();
    directory.vault("env create acme/api/qa --name Quality --status staging");
    let environments = directory.json("env list acme/api");
    let row = vec!["acme/api/qa", "Quality", "staging"];
    assert!(cells(&environments, &["path", "name", "status"]).contains(&row), "{environments:?}");
    directory.refused("env create acme/api/qa");
    directory.refused("env create alone");
    directory.vault("delete acme/api/qa");
    assert!(directory.json("deleted list").is_empty(), "it held nothing");
    let restored = |kind: &str| {
        let deleted = directory.json("deleted list");
        assert_eq!(cells(&deleted, &["kind"]), [[kind]]);
        deleted[0]["id"].as_str().unwrap().to_owned()
    };
    directory.vault("delete acme/dev");
    directory.vault(&format!("env restore {}", restored("environment")));
    directory.vault("delete acme");
    assert!(directory.refused(&format!("env restore {}", restored("project"))).contains("deleted restore"));
    directory.vault(&format!("deleted restore {}", restored("project")));
    assert_eq!(directory.out(&["get", "KEY", "--path", "acme/dev"]).trim(), PLANTED);
    directory.vault("delete acme/api");
    assert!(directory.json("deleted list").is_empty(), "nor did the target");
}

#[test]
fn webhooks_inside_take_the_operators_word() {
    let directory = Directory::new();
    let create = "webhook create http://127.0.0.1:9/in --path acme/dev";
    let url = "this is not a URL for a webhook";
    assert!(directory.refused(create).contains(url));
    assert!(directory.refused(&format!("{create} --allow-private 127.0.0.0/8")).contains(url));
    assert!(directory.refused(&format!("{create} --allow-http")).contains(url));
    assert!(
        directory.vault(&format!("{create} --allow-private 10.0.0.0/8,127.0.0.1 --allow-http")).starts_with("whsec_")
    );
    for range in ["10.0.0.0/8", "169.254.0.0/16", "::/0", "127.0.0.2"] {
        let other = format!("{create} --allow-private {range} --allow-http");
        assert!(directory.refused(&other).contains(url), "{range}");
    }
    let metadata =
        "webhook create http://169.254.169.254/in --path acme/dev --allow-private 0.0.0.0/0,::/0 --allow-http";
    assert!(directory.refused(metadata).contains(url));
    let mut bad = directory.command(&["vault", "webhook", "list", "--allow-private", "inside", "--path", "acme/dev"]);
    assert_eq!(run(&mut bad, "").status.code(), Some(2));
    let id = directory.json("webhook list --path acme/dev")[0]["id"].as_str().unwrap().to_owned();
    let test = format!("webhook test {id} --path acme/dev");
    // As receivers see it.
    let prefixed = id.parse::<ioenv::vault::Id>().unwrap().to_prefixed("whk");
    assert_eq!(directory.json(&format!("webhook logs {prefixed} --path acme/dev")), Vec::<Value>::new());
    let mut bad = directory.command(&["vault", "webhook", "logs", "whk_0", "--path", "acme/dev"]);
    assert_eq!(run(&mut bad, "").status.code(), Some(2));
    if cfg!(feature = "worker") {
        assert!(directory.refused(&test).contains("EPROTO"));
        assert!(
            directory.refused(&format!("{test} --allow-private 127.0.0.0/8 --allow-http")).contains("ECONNREFUSED")
        );
    }

    let file = directory.0.file("team.toml");
    let declared = "[[organization]]\nname = \"Acme\"\n[[organization.webhook]]\nurl = \"http://127.0.0.1:9/two\"\npath = \"acme/dev\"\n";
    fs::write(&file, declared).unwrap();
    assert!(directory.refused("apply team.toml").contains("team.toml: line 3, column 1: this is not a URL"));
    assert!(directory.vault("apply team.toml --allow-private 127.0.0.1 --allow-http").contains("whsec_"));
}

#[test]
fn what_is_wrong_is_told_as_it_is() {
    let directory = Directory::new();
    // The project is there, so nobody is told to make it.
    for args in [
        "account list --path acme",
        "account create api --role viewer --path acme/api",
        "webhook create https://hooks.acme.example/in --path acme",
        "env update acme/api --name x",
        "env delete acme/api",
    ] {
        let complaint = directory.refused(args);
        assert!(
            complaint.contains("there is no environment acme") && !complaint.contains("vault create"),
            "{complaint}"
        );
    }
    let complaint = directory.refused("integration link file --map acme/nope=a.env --path acme");
    assert!(complaint.contains("no such level") && !complaint.contains("acme in the vault"), "{complaint}");
    let heroku = ["vault", "integration", "link", "heroku", "--map", "acme/dev=a", "--path", "acme"];
    let output = run(&mut directory.command(&heroku), "a token");
    assert!(text(&output.stderr).contains("the command knows vercel") && output.status.code() == Some(2), "{output:?}");
    directory.vault("integration link file --map acme/dev=a.env --path acme");
    let id = directory.json("integration list --path acme")[0]["id"].as_str().unwrap().to_owned();
    assert!(directory.refused(&format!("integration plan {id} --path acme")).contains("--directory"));

    // What says nothing is no change.
    for args in ["team update t", "role update r", "service update s", "env update acme/dev"] {
        let words: Vec<&str> = ["vault"].into_iter().chain(args.split(' ')).collect();
        let output = run(&mut directory.command(&words), "");
        assert!(text(&output.stderr).contains("--name") && output.status.code() == Some(2), "{output:?}");
    }
    let output = run(&mut directory.command(&["vault", "account", "create", "a", "--path", "acme/dev"]), "");
    assert!(text(&output.stderr).contains("--role") && output.status.code() == Some(2), "{output:?}");

    // Words of all services, and permissions that none of them has a word for.
    directory.vault("role create mixed --permission read,environment.read,project:read,webhook:read");
    let complaint = directory.refused(&format!("role create other --permission read,secret:{PLANTED}"));
    assert!(complaint.contains("word 2") && complaint.contains("`secret:read`"), "{complaint}");

    directory.vault("service create deployer --permission read --allow 192.0.2.0/24");
    let key = directory.vault("service key deployer ci");
    let mut list = directory.command(&["list", "--path", "acme/dev"]);
    let output = run(list.env("IOENV_TOKEN", key.trim()), "");
    assert!(text(&output.stderr).contains("allow-list") && output.status.code() == Some(1), "{output:?}");
}
