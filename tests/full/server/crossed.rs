//! Names and ids of one place in addresses of another one, keys of all kinds, and requests at the same time.

use std::collections::BTreeMap;
use std::thread;

use ioenv::Document;
use ioenv::vault::{
    Actor, At, EnvironmentRole, Grantee, Id, NewAccount, NewEnvironment, NewMember, NewOrganization, NewPersonalKey,
    NewProject, NewServiceAccount, NewServiceKey, NewTarget, NewToken, NewWebhook, Permission, PermissionSet,
    PersonalKeyLevel,
};
use serde_json::json;

use super::stage::{Client, Stage, path};

/// Two projects with a target and environments, all of which hold something, in Acme and in another organization.
fn filled() -> Stage {
    let stage = Stage::memory();
    let other = stage.system().create_organization(&NewOrganization::new("Other")).unwrap().id;
    for organization in [stage.acme, other] {
        let system = stage.system();
        for project in ["shop", "bank"] {
            let new = NewProject::new(project).has_base(project == "bank");
            system.create_project(organization, &new).unwrap();
            system.create_target(At::Path(organization, &path(project)), &NewTarget::new("api")).unwrap();
            for at in [project.to_owned(), format!("{project}/api")] {
                system.create_environment(At::Path(organization, &path(&at)), &NewEnvironment::new("live")).unwrap();
            }
            for at in [project, &format!("{project}/api"), &format!("{project}/api/live"), &format!("{project}/live")] {
                for number in 1..=2 {
                    let text = format!(
                        "SECRET='planted {}:{at} {number}'\n",
                        if organization == stage.acme { "acme" } else { "other" }
                    );
                    let document = Document::parse(&text).unwrap();
                    system.set_document(At::Path(organization, &path(at)), &document).unwrap();
                }
            }
        }
    }
    stage
}

fn ids(stage: &Stage) -> BTreeMap<String, Id> {
    let system = stage.system();
    let mut ids = BTreeMap::new();
    for organization in system.organizations().unwrap() {
        let named = |what: &str| format!("{}:{what}", organization.slug);
        ids.insert(named(""), Id::from(organization.id));
        for project in ["shop", "bank"] {
            ids.insert(named(project), system.project(At::Path(organization.id, &path(project))).unwrap().id.into());
            for at in [format!("{project}/live"), format!("{project}/api/live")] {
                ids.insert(named(&at), system.environment(At::Path(organization.id, &path(&at))).unwrap().id.into());
            }
        }
    }
    ids
}

#[test]
fn what_belongs_to_one_place_is_not_found_at_another() {
    let stage = filled();
    let (system, admin, ids) = (stage.system(), stage.admin(), ids(&stage));
    let (acme, other) = (ids["acme:"], ids["other:"]);

    // Stashbase: webhooks, their logs, and changes, under an environment that is not theirs.
    let webhook = |at: &str| {
        let made = system
            .create_webhook(At::Path(acme.into(), &path(at)), &NewWebhook::new("https://a.example.com/in"))
            .unwrap();
        made.webhook.id.to_prefixed("whk")
    };
    let (shops, banks) = (webhook("shop/live"), webhook("bank/live"));
    let at = "/v1/projects/bank/environments/live";
    for (method, rest) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("PATCH", "/status"),
        ("GET", "/signing-secret"),
        ("POST", "/signing-secret"),
        ("GET", "/logs"),
        ("GET", &*format!("/logs/whlog_{}", "0".repeat(22))),
    ] {
        let body = json!({ "enabled": true, "url": "https://b.example.com/" }).to_string();
        let answer = admin.send(method, &format!("{at}/webhooks/{shops}{rest}"), Some(&body));
        assert_eq!(answer.json(404)["error"]["code"], "resource.webhook_not_found", "{method} {rest}");
    }
    let answer = admin.get(&format!("{at}/webhooks/{banks}/logs/whlog_{}", "0".repeat(22)));
    assert_eq!(answer.json(404)["error"]["code"], "resource.webhook_log_not_found");
    let changes = admin.get("/v1/projects/shop/environments/live/changelog").json(200);
    let change = changes["data"][0]["id"].as_str().unwrap().to_owned();
    for (method, rest) in [("GET", ""), ("POST", "/revert")] {
        let answer = admin.send(method, &format!("{at}/changelog/{change}{rest}"), None);
        assert_eq!(answer.json(404)["error"]["code"], "resource.change_not_found", "{method}");
    }
    let theirs = ids["other:shop"].to_prefixed("proj");
    assert_eq!(admin.get(&format!("/v1/projects/{theirs}")).status, 404);
    let live = ids["acme:shop/live"].to_prefixed("env");
    assert_eq!(admin.get(&format!("/v1/projects/bank/environments/{live}")).status, 404);
    let answer = admin.get(&format!("/v1/projects/bank/environments/live/compare/{live}"));
    assert_eq!(answer.json(404)["error"]["code"], "resource.compare_to_environment_not_found");

    // dotenv.cloud: of another organization, by its id and under one's own.
    let token = system.issue_token(other.into(), &NewToken::new("theirs", PermissionSet::ALL)).unwrap().info.id;
    let user = NewMember::new("bob@example.test", "Bob", "cloud:owner".parse().unwrap());
    let user = system.add_member(other.into(), &user).unwrap().user;
    for organization in [acme, other] {
        for (method, rest) in [
            ("GET", format!("api-keys/{token}")),
            ("PUT", format!("api-keys/{token}")),
            ("DELETE", format!("api-keys/{token}")),
            ("POST", format!("api-keys/{token}/rotate")),
            ("DELETE", format!("members/{user}")),
        ] {
            let answer = admin.send(method, &format!("/api/v1/organizations/{organization}/{rest}"), Some("{}"));
            assert_eq!(answer.json(404)["error"], "not_found", "{method} {rest}");
        }
    }
    for (method, rest) in [
        ("GET", "projects"),
        ("GET", "shop"),
        ("GET", "shop/secrets"),
        ("GET", "shop/encryption-key"),
        ("POST", "secrets/retrieve"),
        ("GET", "secrets/versions/4294967297"),
        ("POST", "shop/encryption-key/rotate"),
    ] {
        let body = json!({ "project": "shop" }).to_string();
        let answer = admin.send(method, &format!("/api/v1/{other}/{rest}"), (method == "POST").then_some(&*body));
        assert_eq!(answer.json(404)["error"], "not_found", "{method} {rest}");
    }

    // ioenv: another project's and another organization's.
    for project in ["acme:bank", "other:shop"] {
        let bound = stage.client(&stage.token(PermissionSet::ALL, Some("shop")));
        for rest in ["environments", "tokens", "audit"] {
            let answer = bound.get(&format!("/api/v1/project/{}/{rest}", ids[project].to_prefixed("proj")));
            assert_eq!(answer.json(404)["error"]["code"], "NOT_FOUND", "{project} {rest}");
        }
        let environment = ids[&format!("{project}/live")].to_prefixed("env");
        assert_eq!(bound.get(&format!("/api/v1/env/{environment}/variables")).status, 404);
    }
}

/// A client by a key of each kind that there is, with the levels of Acme whose values it may see.
fn keys(stage: &Stage) -> Vec<(String, Client, &'static [&'static str])> {
    const LIVE: &[&str] = &["shop", "shop/live"];
    let (system, acme, live) = (stage.system(), stage.acme, path("shop/live"));
    let mut keys: Vec<(String, Client, &[&str])> = Vec::new();
    for (scope, levels) in [
        ("shop/live", LIVE),
        ("shop/api/live", &["shop", "shop/api", "shop/api/live"][..]),
        ("shop/api", &["shop", "shop/api", "shop/api/live"]),
        ("shop", &["shop", "shop/live", "shop/api", "shop/api/live"]),
    ] {
        keys.push((format!("token of {scope}"), stage.client(&stage.token(PermissionSet::ALL, Some(scope))), levels));
    }
    let blind = PermissionSet::ALL.difference(Permission::SecretDecrypt.into());
    keys.push(("blind token".to_owned(), stage.client(&stage.token(blind, None)), &[]));
    let account =
        system.create_account(At::Path(acme, &live), &NewAccount::new("a", EnvironmentRole::ACCOUNT)).unwrap();
    keys.push(("account".to_owned(), stage.client(&account.key), LIVE));
    let service = NewServiceAccount::new("s", Permission::ProjectRead.into());
    let service = system.create_service_account(acme, &service).unwrap().id;
    let service = system.create_service_key(acme, service, &NewServiceKey::new("k")).unwrap();
    keys.push(("service key".to_owned(), stage.client(&service.key), &[]));
    let outsider = NewMember::new("bob@example.test", "Bob", "workspace:member".parse().unwrap());
    let outsider = system.add_member(acme, &outsider).unwrap().user;
    let user = NewMember::new("ann@example.test", "Ann", "workspace:member".parse().unwrap());
    let user = system.add_member(acme, &user).unwrap().user;
    for role in ["viewer", "editor"] {
        system.grant(At::Path(acme, &live), Grantee::User(user), role.parse().unwrap()).unwrap();
        for (user, levels) in [(user, LIVE), (outsider, &[])] {
            for level in PersonalKeyLevel::ALL {
                let new = NewPersonalKey::new("laptop", *level);
                let key = stage.vault.session(Actor::User(user)).create_personal_key(acme, &new).unwrap();
                keys.push((format!("{level:?} key of {role} or not"), stage.client(&key.key), levels));
            }
        }
    }
    keys
}

#[test]
fn no_key_of_any_kind_is_told_a_value_of_elsewhere() {
    let stage = filled();
    let ids = ids(&stage);
    let mut addresses = vec![
        "/v1/whoami".to_owned(),
        "/v1/projects".to_owned(),
        "/api/v1/user".to_owned(),
        "/v1/environment/secrets".to_owned(),
        "/v1/environment/changelog?with_values=true".to_owned(),
    ];
    for organization in ["acme", "other"] {
        let id = |at: &str| ids[&format!("{organization}:{at}")];
        for rest in ["projects", "api-keys", "members", "audit-log", "audit-log?per_page=100"] {
            addresses.push(format!("/api/v1/organizations/{}/{rest}", id("")));
        }
        for project in ["shop", "bank"] {
            let at = format!("/api/v1/project/{}", id(project).to_prefixed("proj"));
            addresses.extend(["environments", "tokens", "audit"].map(|rest| format!("{at}/{rest}")));
            let base = format!("/api/v1/{}/{project}", id(""));
            for at in ["", "/api", "/api/live", "/live"] {
                addresses.push(format!("{base}{at}/secrets?decrypt=true"));
                addresses.push(format!("{base}{at}/secrets?decrypt=true&merge=true&raw=true"));
            }
            for version in 1..5_u64 {
                let number = if project == "shop" { 1 } else { 2_u64 };
                addresses.push(format!("/api/v1/{}/secrets/versions/{}", id(""), number << 32 | version));
            }
            let at = format!("/v1/projects/{}", id(project).to_prefixed("proj"));
            addresses.push(format!("{at}/secrets/search?name=SECRET&include_value=true"));
            for environment in ["live".to_owned(), id(&format!("{project}/live")).to_prefixed("env")] {
                addresses.push(format!("{at}/environments/{environment}/secrets"));
                addresses.push(format!("{at}/environments/{environment}/secrets/SECRET"));
                addresses.push(format!("{at}/environments/{environment}/changelog?with_values=true"));
            }
            for environment in [id(project), id(&format!("{project}/live")), id(&format!("{project}/api/live"))] {
                let at = format!("/api/v1/env/{}/variables", environment.to_prefixed("env"));
                addresses.extend([at.clone(), format!("{at}?inherited=false"), format!("{at}/export")]);
            }
        }
    }
    for (name, client, levels) in keys(&stage) {
        let mut told = 0;
        for address in &addresses {
            let answer = client.get(address);
            assert!(answer.status < 500, "{name} {address}: {}", answer.text);
            if name != "blind token" && name != "service key" {
                assert!(!answer.text.contains("bank"), "{name} {address}: {}", answer.text);
            }
            for rest in answer.text.split("planted ").skip(1) {
                let at = rest.split(' ').next().unwrap().strip_prefix("acme:");
                assert!(at.is_some_and(|at| levels.contains(&at)), "{name} {address}: {}", answer.text);
                told += 1;
            }
        }
        assert_eq!(told > 0, !levels.is_empty(), "{name}");
    }
}

#[test]
fn of_requests_at_once_for_one_name_one_makes_it() {
    let stage = Stage::new();
    let (admin, acme) = (stage.admin(), stage.acme);
    let project = stage.system().create_project(acme, &NewProject::new("shop")).unwrap().id.to_prefixed("proj");
    stage.system().create_target(At::Path(acme, &path("shop")), &NewTarget::new("api")).unwrap();
    let body = json!({ "name": "twin", "slug": "twin" });
    for (address, refused) in [
        (format!("/api/v1/{acme}/shop/targets"), 422),
        (format!("/api/v1/{acme}/shop/api/environments"), 422),
        ("/v1/projects".to_owned(), 409),
        ("/v1/projects/twin/environments".to_owned(), 409),
        (format!("/api/v1/project/{project}/environments"), 422),
    ] {
        // The last one stands where the first one does.
        let body = if address.contains("/project/") { json!({ "name": "twins" }) } else { body.clone() };
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let asking: Vec<_> = (0..6).map(|_| scope.spawn(|| admin.clone().post(&address, &body).status)).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [201, refused, refused, refused, refused, refused], "{address}");
    }
}

#[test]
fn of_changes_at_once_of_one_revision_one_is_made() {
    let stage = Stage::new();
    let (system, acme, admin) = (stage.system(), stage.acme, stage.admin());
    system.create_project(acme, &NewProject::new("shop")).unwrap();
    let environment = system.create_environment(At::Path(acme, &path("shop")), &NewEnvironment::new("live")).unwrap();
    let at = format!("/api/v1/env/{}/variables", environment.id.to_prefixed("env"));
    for round in 0..5 {
        let tag = admin.get(&at).header("etag").unwrap().to_owned();
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let asking: Vec<_> = (0..6)
                .map(|number| {
                    let (client, at) = (admin.clone().with("if-match", &tag), &at);
                    let body = json!({ "value": format!("{round} {number}") });
                    scope.spawn(move || client.put(&format!("{at}/KEY"), &body).status)
                })
                .collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
    }
}
