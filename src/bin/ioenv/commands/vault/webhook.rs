use ioenv::vault::{At, NewWebhook, Page, WebhookUpdate};
use ioenv::worker::WebhookTest;

use super::integration::with_files;
use super::listing::{NONE, print, text};
use super::time::shown;
use crate::args::{OutboundArgs, WebhookCommand};
use crate::given::Given as _;
use crate::levels::access::Access;
use crate::levels::vault::environment_hint;
use crate::project::Project;
use crate::result::Result;
use crate::terminal;

pub(crate) fn run(project: &Project, outbound: &OutboundArgs, command: WebhookCommand) -> Result {
    if let WebhookCommand::Run { once, directory, connections } = command {
        let access = with_files(Access::open_shared(project, connections)?.with_outbound(outbound), directory);
        access.trusted_only()?;
        return deliver(&access, once);
    }
    let access = Access::open(project)?.with_outbound(outbound);
    let (session, organization) = (access.session(), access.organization()?);
    let path = project.path()?;
    match command {
        WebhookCommand::List(listing) => {
            let webhooks =
                session.webhooks(At::Path(organization, &path)).map_err(|error| environment_hint(&path, error))?;
            let rows: Vec<[String; 5]> = webhooks
                .into_iter()
                .map(|one| {
                    let state = if one.enabled { "enabled" } else { "disabled" };
                    let description = text(one.description.as_deref());
                    [one.id.to_string(), one.url, state.to_owned(), description, shown(one.updated_at)]
                })
                .collect();
            print(&listing, ["ID", "URL", "STATE", "DESCRIPTION", "UPDATED"], &rows)
        }
        WebhookCommand::Create { url, description, enable } => {
            let new = NewWebhook::new(url).enabled(enable).given(description, NewWebhook::description);
            let created = session
                .create_webhook(At::Path(organization, &path), &new)
                .map_err(|error| environment_hint(&path, error))?;
            terminal::note(format!("made the webhook {} of {path}; its signing secret:", created.webhook.id));
            terminal::credential(created.signing_secret.expose_secret())
        }
        WebhookCommand::Update { id, url, description } => {
            let update =
                WebhookUpdate::new().given(url, WebhookUpdate::url).given(description, WebhookUpdate::description);
            session.update_webhook(At::Path(organization, &path), id.id(), &update)?;
            terminal::note("changed the webhook");
            Ok(())
        }
        WebhookCommand::Enable { id } => {
            session.enable_webhook(At::Path(organization, &path), id.id())?;
            terminal::note("events are sent to the webhook from now on");
            Ok(())
        }
        WebhookCommand::Disable { id } => {
            session.disable_webhook(At::Path(organization, &path), id.id())?;
            terminal::note("no more events are sent to the webhook");
            Ok(())
        }
        WebhookCommand::Delete { id } => {
            session.delete_webhook(At::Path(organization, &path), id.id())?;
            terminal::note("deleted the webhook");
            Ok(())
        }
        WebhookCommand::Test { id } => tested(&session.test_webhook(At::Path(organization, &path), id.id())?),
        WebhookCommand::Secret { id } => {
            terminal::credential(session.signing_secret(At::Path(organization, &path), id.id())?.expose_secret())
        }
        WebhookCommand::Rotate { id } => {
            let secret = session.rotate_signing_secret(At::Path(organization, &path), id.id())?;
            terminal::note("the signing secret that counts from now on:");
            terminal::credential(secret.expose_secret())
        }
        WebhookCommand::Logs { id, limit, listing } => {
            let id = id.id();
            let logs = Page::first(limit, |paging| session.webhook_logs(At::Path(organization, &path), id, paging))?;
            let rows: Vec<[String; 5]> = logs
                .iter()
                .map(|log| {
                    let status = answer(log.status, log.error.as_ref());
                    let time = shown(log.processed_at);
                    [log.id.to_string(), time, log.event.to_string(), log.attempt.to_string(), status]
                })
                .collect();
            print(&listing, ["ID", "TIME", "EVENT", "ATTEMPT", "ANSWER"], &rows)
        }
        WebhookCommand::Run { .. } => Ok(()),
    }
}

fn answer(status: Option<u16>, error: Option<&impl ToString>) -> String {
    match (status, error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => NONE.to_owned(),
    }
}

fn tested(test: &WebhookTest) -> Result {
    let answer = answer(test.status, test.error.as_ref());
    if test.status.is_some_and(|status| (200..300).contains(&status)) {
        terminal::note(format!("the webhook answered {answer}"));
        return Ok(());
    }
    Err(format!("the webhook did not take the event: {answer}").into())
}

#[cfg(feature = "worker")]
fn deliver(access: &Access, once: bool) -> Result {
    use std::sync::atomic::AtomicBool;

    let worker = ioenv::worker::Worker::new(&access.vault);
    if once {
        let count = worker.run_once()?;
        terminal::note(format!("made {count} attempts"));
        return Ok(());
    }
    terminal::note("delivering events, until this is ended");
    // What is cut off when the program is ended is done again by the next one.
    Ok(worker.run_until(&AtomicBool::new(false))?)
}

#[cfg(not(feature = "worker"))]
fn deliver(_access: &Access, _once: bool) -> Result {
    Err("delivering events needs the feature `worker` of ioenv: enable it".into())
}
