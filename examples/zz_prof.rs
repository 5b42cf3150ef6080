use ioenv::store::{Memory, Sqlite, Store};
use ioenv::vault::*;
use ioenv::*;
fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let dir = tempfile::tempdir_in(if mode.contains("shm") { "/dev/shm" } else { "/work/main/target" }).unwrap();
    let store: Box<dyn Store> = if mode.starts_with("mem") {
        Box::new(Memory::new())
    } else {
        Box::new(Sqlite::create(dir.path().join("v.db")).unwrap())
    };
    let vault = Vault::open(store, &RootKey::generate(&SystemRandom).unwrap()).unwrap();
    let s = vault.session(Actor::system("x"));
    let o = s.create_organization(NewOrganization::new("Acme")).unwrap().id;
    s.create_project(o, NewProject::new("store")).unwrap();
    s.create_target(o, &"store".parse().unwrap(), &NewTarget::new("backend")).unwrap();
    s.create_environment(o, &"store/backend".parse().unwrap(), &NewEnvironment::new("prod")).unwrap();
    let path: LevelPath = "store/backend/prod".parse().unwrap();
    let mut d = Document::new();
    for i in 0..50 {
        d.set(
            format!("SETTING_NUMBER_{i}").parse().unwrap(),
            format!("the value of the secret that has the number {i:04}"),
        )
        .unwrap();
    }
    s.set_document(o, &path, &d).unwrap();
    let t = s.issue_token(o, &NewToken::new("b", PermissionSet::ALL)).unwrap().token;
    let start = std::time::Instant::now();
    for i in 0..n {
        let s = vault.session(t.clone());
        if mode.contains("read") {
            s.resolve(o, &path).unwrap();
        } else {
            s.set_entries(o, &path, &[NewEntry::new("SETTING_NUMBER_7".parse().unwrap(), format!("another {i}"))])
                .unwrap();
        }
    }
    println!("{mode}: {:.1} us", start.elapsed().as_secs_f64() / n as f64 * 1e6);
}
