//! `docs/server.md` names addresses that are served.

use ioenv::vault::{At, NewEnvironment, NewProject, NewTarget, PermissionSet};

use super::stage::{Stage, path};

pub(super) const DOCS: &str = include_str!("../../../docs/server.md");

/// The addresses of a table, each with its method: those in code that begin with a method.
pub(super) fn addresses(section: &str) -> Vec<(&str, &str)> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter_map(|text| text.split_once(' ')).collect()
}

#[test]
fn each_address_in_the_docs_is_served() {
    let stage = Stage::memory();
    let system = stage.system();
    let project = system.create_project(stage.acme, &NewProject::new("shop")).unwrap().id;
    system.create_target(At::Path(stage.acme, &path("shop")), &NewTarget::new("api")).unwrap();
    system.create_environment(At::Path(stage.acme, &path("shop/api")), &NewEnvironment::new("prod")).unwrap();
    let environment =
        system.create_environment(At::Path(stage.acme, &path("shop")), &NewEnvironment::new("dev")).unwrap().id;
    let clients = [stage.admin(), stage.client(&stage.token(PermissionSet::ALL, Some("shop/dev")))];
    let organization = stage.acme.to_string();

    let sections: Vec<&str> = DOCS.split("\n## ").skip(2).collect();
    let mut count = 0;
    for (section, base) in sections.iter().zip(["/api/v1", "/api/v1", "/v1"]) {
        let found = addresses(section);
        assert!(found.len() > 10, "{section}");
        for (method, address) in found {
            let (project_id, environment_id) = (project.to_prefixed("proj"), environment.to_prefixed("env"));
            for at in ["/projects/{project}/environments/{environment}", "/environment"] {
                let mut address = address.replace("{w}", at);
                let names = [
                    ("{project}", project_id.as_str()),
                    ("{environment}", &environment_id),
                    ("{o}", &organization),
                    ("{p}", "shop"),
                    ("{t}", "api"),
                    ("{e}", "prod"),
                    ("{n}", "4294967297"),
                    ("{name}", "KEY"),
                ];
                for (name, value) in names {
                    address = address.replace(name, value);
                }
                // What does not exist is enough to see that somebody looks for it; so nothing is deleted meanwhile.
                if method == "DELETE" && !address.contains("{id}") {
                    continue;
                }
                let address = format!("{base}{}", address.replace("{id}", &organization));
                let answers = clients.each_ref().map(|client| client.send(method, &address, None));
                let is_served = answers.iter().any(|answer| {
                    let nothing = ["nothing at this address", "Nothing is served at this address"];
                    answer.status != 405 && !nothing.iter().any(|text| answer.text.contains(text))
                });
                assert!(is_served, "{method} {address}: {answers:?}");
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
    for nowhere in ["/v1/nowhere", "/api/v1/nowhere", "/api/v1/env/nowhere/nowhere"] {
        let answer = clients[0].get(nowhere);
        assert!(answer.text.contains("othing") && answer.text.contains("at this address"), "{answer:?}");
    }
}
