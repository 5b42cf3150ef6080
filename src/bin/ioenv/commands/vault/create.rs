use ioenv::LevelPath;
use ioenv::dotenv_cloud::KeyProof;
use ioenv::vault::{NewKey, NewProject};

use crate::args::CreateArgs;
use crate::levels::vault::VaultLevels;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, args: &CreateArgs) -> Result {
    let path: LevelPath = args.level.get();
    let vault = VaultLevels::open(project)?;
    let mut new = NewProject::new(path.project()).slug(path.project().parse()?).has_base(args.base);
    if args.client_key {
        new = new.key(client_key(project)?);
    }
    if vault.create(&path, args.target, &new)? {
        terminal::note(format!("made {path}"));
    } else {
        terminal::note(format!("{path} is there already"));
    }
    Ok(())
}

/// The one random key at hand.
fn client_key(project: &Project) -> Result<NewKey> {
    let keys = project.keys()?.with_proofs(None)?;
    let [(_, proof)] = keys.as_slice() else {
        return Err(format!(
            "a project takes one random key, and {} are given: give it in IOENV_KEY or with --key-file",
            keys.len()
        )
        .into());
    };
    let proof: &KeyProof = proof;
    Ok(NewKey::Client { derivation: None, proof: proof.to_text(), hint: None })
}
