//! For all names and values: what was set is what is read, either way.

use std::collections::BTreeMap;

use ioenv::Document;
use proptest::prelude::*;
use serde_json::json;

use super::Scene;

fn values() -> impl Strategy<Value = String> {
    let special = "['\"\\\\$`\r\n\t #=;{}a\u{e4}\u{1f600}\u{feff}\u{7f}]{0,12}";
    prop_oneof![special, "[^\0]{0,30}", "[A-Za-z0-9_./:@%+,=-]{0,20}"]
}

type Set = BTreeMap<String, (String, bool)>;

fn sets() -> impl Strategy<Value = Set> {
    proptest::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,3}", (values(), any::<bool>()), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn list_and_export_say_what_was_set(base in sets(), own in sets()) {
        let scene = Scene::new();
        let client = scene.client("read write");
        for (name, set) in [("_base", &base), ("dev", &own)] {
            for (key, (value, is_secret)) in set {
                client.put(&scene.variable(name, key), &json!({ "value": value, "isSecret": is_secret })).json(200);
            }
        }
        let mut expected = base.clone();
        expected.extend(own.clone());

        let body = client.get(&scene.variables("dev")).json(200);
        let listed: Vec<_> = body["variables"].as_array().unwrap().iter().map(|one| {
            let text = |member: &str| one[member].as_str().unwrap().to_owned();
            (text("key"), (text("value"), one["isSecret"].as_bool().unwrap()), one["inherited"].as_bool().unwrap())
        }).collect();
        let expected_list: Vec<_> = expected
            .iter()
            .map(|(key, entry)| (key.clone(), entry.clone(), !own.contains_key(key)))
            .collect();
        prop_assert_eq!(listed, expected_list);

        let text = client.get(&format!("{}/export", scene.variables("dev"))).text;
        let document = Document::parse(&text).unwrap();
        let read: Vec<(String, String)> = document
            .entries()
            .iter()
            .map(|entry| (entry.name().to_string(), entry.value().expose_secret().to_owned()))
            .collect();
        let expected: Vec<(String, String)> = expected.into_iter().map(|(key, (value, _))| (key, value)).collect();
        prop_assert_eq!(read, expected);
    }
}
