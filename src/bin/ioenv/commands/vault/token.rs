use std::time::SystemTime;

use ioenv::vault::{Id, IssuedToken, NewToken, Permission, PermissionSet, Timestamp, TokenInfo, Vocabulary};

use super::audit::actor;
use super::time::{moment, shown};
use crate::args::TokenCommand;
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, command: TokenCommand) -> Result {
    let access = Access::open(project)?;
    let organization = access.organization()?;
    let session = access.session();
    match command {
        TokenCommand::Create { name, permission, expires, format } => {
            let scope = project.chosen_path.clone();
            let end = expires.map(|expires| moment(&expires, Timestamp::checked_add));
            let new = NewToken::new(name, permissions(&permission)?)
                .format(format.format(organization, scope.as_ref()))
                .given(scope, NewToken::scope)
                .given(end, NewToken::expires_at);
            print(&session.issue_token(organization, &new)?)
        }
        TokenCommand::List => {
            let now = Timestamp::from(SystemTime::now());
            let rows: Vec<[String; 8]> = session.tokens(organization)?.iter().map(|info| row(info, now)).collect();
            terminal::table(["ID", "NAME", "TOKEN", "PERMISSIONS", "LEVEL", "LAST USED", "STATE", "CREATED BY"], &rows)
        }
        TokenCommand::Rotate { id } => print(&session.rotate_token(organization, id.id())?),
        TokenCommand::Revoke { id, created_by } => {
            if let Some(id) = id {
                let id = id.id();
                session.revoke_token(organization, id)?;
                terminal::note(format!("revoked the token {id}"));
            }
            if let Some(creator) = created_by {
                let creator: Id = creator.id();
                let count = session.revoke_tokens_created_by(organization, creator)?;
                terminal::note(format!("revoked {count} tokens, accounts and service keys that {creator} created"));
            }
            Ok(())
        }
    }
}

fn print(issued: &IssuedToken) -> Result {
    let info = &issued.info;
    let scope = info.scope.as_ref().map(|path| format!(", bound to {path}")).unwrap_or_default();
    let end = info.expires_at.map(|end| format!(", until {}", shown(end))).unwrap_or_default();
    let name = terminal::printable(&info.name);
    terminal::note(format!("the token {name} ({}{scope}{end}), which is shown this once:", info.id));
    terminal::credential(issued.token.expose_secret())
}

fn row(info: &TokenInfo, now: Timestamp) -> [String; 8] {
    let dash = || "-".to_owned();
    let state = match (info.revoked_at, info.expires_at) {
        (Some(at), _) => format!("revoked {}", shown(at)),
        (None, Some(at)) if at <= now => format!("expired {}", shown(at)),
        (None, Some(at)) => format!("until {}", shown(at)),
        (None, None) => "for ever".to_owned(),
    };
    [
        info.id.to_string(),
        terminal::printable(&info.name),
        info.hint.clone(),
        words(info.permissions),
        info.scope.as_ref().map_or_else(dash, ToString::to_string),
        info.last_used_at.map_or_else(dash, shown),
        state,
        actor(&info.created_by),
    ]
}

/// Each word is one of a service's, or else the name of a permission, as in the file of `apply`.
pub(super) fn permissions(words: &[String]) -> Result<PermissionSet> {
    let mut set = PermissionSet::EMPTY;
    for (at, word) in words.iter().enumerate() {
        let vocabulary = match word {
            word if word.contains('.') => Vocabulary::Stashbase,
            word if word.contains(':') || word == "*" => Vocabulary::DotenvCloud,
            _ => Vocabulary::Ioenv,
        };
        let found = vocabulary
            .parse([word])
            .or_else(|error| word.parse::<Permission>().map(PermissionSet::from).map_err(|_| error))
            .map_err(|error| format!("--permission, word {}: {error}", at + 1))?;
        set = set.union(found);
    }
    Ok(set)
}

/// In the fewest words that say it all.
pub(super) fn words(permissions: PermissionSet) -> String {
    if permissions == PermissionSet::ALL {
        return "*".to_owned();
    }
    for vocabulary in [Vocabulary::Ioenv, Vocabulary::DotenvCloud] {
        let words = vocabulary.words(permissions);
        if vocabulary.parse(&words).is_ok_and(|said| said == permissions) {
            return words.join(", ");
        }
    }
    permissions.to_string()
}
