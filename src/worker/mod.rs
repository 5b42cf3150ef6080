//! Deliveries out of a vault: events to webhooks, and secrets to the providers of integrations.
//!
//! A change puts jobs into a queue of the vault, in the same transaction. A `Worker` (feature `worker`) claims them,
//! sends what they are for, and settles each with its outcome; an attempt that failed is repeated on a schedule.
//! [`Session::test_webhook`], [`Session::plan_integration`] and [`Session::sync_integration`] do the same at once.
//!
//! Without the feature `worker` nothing is sent over the network: webhooks, and integrations with Vercel and Cloudflare,
//! answer [`CrateFeature`](crate::ErrorKind::CrateFeature). [`EnvFiles`] and a
//! [`SyncTarget`](crate::vault::SyncTarget) of the program work in every build.
//!
//! [`Session::test_webhook`]: crate::vault::Session::test_webhook
//! [`Session::plan_integration`]: crate::vault::Session::plan_integration
//! [`Session::sync_integration`]: crate::vault::Session::sync_integration

#[cfg(feature = "worker")]
mod api;
#[cfg(feature = "worker")]
mod cloudflare;
mod files;
mod integration;
#[cfg(feature = "worker")]
mod poll;
mod targets;
#[cfg(feature = "worker")]
mod vercel;
mod webhook;

#[cfg(feature = "worker")]
pub use self::cloudflare::CloudflareWorkers;
pub use self::files::EnvFiles;
pub use self::integration::IntegrationPlan;
#[cfg(feature = "worker")]
pub use self::poll::Worker;
#[cfg(feature = "worker")]
pub use self::vercel::Vercel;
pub use self::webhook::WebhookTest;

#[cfg(not(feature = "worker"))]
fn feature_is_missing() -> crate::Error {
    let message = "nothing is sent by this build: build ioenv with the feature `worker`";
    crate::Error::new(crate::ErrorKind::CrateFeature, message)
}
