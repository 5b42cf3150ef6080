use ioenv::vault::{NewProject, PermissionSet};
use serde_json::json;

use super::super::stage::Stage;

#[test]
fn a_project_is_read_by_either_address() {
    let stage = Stage::new();
    let project = stage.system().create_project(stage.acme, NewProject::new("Orbit Shop")).unwrap();
    let client = stage.client(&stage.token(PermissionSet::ALL, None));
    let (o, id) = (stage.acme, project.id.to_string());
    let answer = client.get(&format!("/api/v1/{o}/orbit-shop"));
    let expected = json!({ "data": { "type": "projects", "id": id, "attributes": {
        "ulid": id, "organization_id": o.to_string(), "name": "Orbit Shop", "slug": "orbit-shop", "description": null,
        "secret_format": "env", "encryption_type": "server", "has_secrets": false, "secret_count": 0,
        "environment_count": 0, "target_count": 0, "created_at": "2031-02-03T04:05:06Z", "updated_at": "2031-02-03T04:05:06Z",
    } } });
    assert_eq!(answer.json(200), expected);
    assert_eq!(answer.header("deprecation"), None);
    assert_eq!(answer.header("x-api-version"), Some("1"));
    let answer = client.get(&format!("/api/v1/organizations/{o}/projects/orbit-shop"));
    assert_eq!(answer.json(200), expected);
    assert_eq!(answer.header("deprecation"), Some("true"));
}
