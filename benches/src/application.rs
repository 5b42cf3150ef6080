//! The environment of a whole application: 100 names over three levels.

use ioenv::{Document, Kind};

use crate::random::Numbers;

/// The levels, broad to specific.
pub const PATHS: [&str; 3] = ["acme-store", "acme-store/backend", "acme-store/backend/production"];

#[derive(Clone, Copy)]
enum Shape {
    Word,
    Number,
    Flag,
    Title,
    Url,
    Json,
    Key,
    Token,
    Pem,
}

const NAMES: [(Shape, &str); 9] = [
    (
        Shape::Word,
        "APP_ENV APP_NAME ASSETS_BUCKET AWS_REGION BACKUP_BUCKET CDN_HOST COOKIE_DOMAIN CURRENCY DEFAULT_LOCALE HOST \
         LOG_FORMAT LOG_LEVEL MAIL_HOST MAIL_USER METRICS_HOST QUEUE_NAME SEARCH_INDEX TIME_ZONE TRACING_SERVICE USER_AGENT",
    ),
    (
        Shape::Number,
        "CACHE_TTL_SECONDS DATABASE_POOL_MAX DATABASE_POOL_MIN DATABASE_TIMEOUT_MS HTTP_TIMEOUT_MS MAIL_PORT \
         MAX_UPLOAD_BYTES METRICS_PORT PAGE_SIZE PORT QUEUE_WORKERS RATE_LIMIT_BURST RATE_LIMIT_PER_MINUTE \
         RETRY_ATTEMPTS SESSION_TTL_SECONDS SHUTDOWN_GRACE_MS WORKER_THREADS",
    ),
    (
        Shape::Flag,
        "COOKIE_SECURE FEATURE_CHECKOUT_V2 FEATURE_COUPONS FEATURE_DARK_MODE FEATURE_GIFT_CARDS FEATURE_GUEST_ORDERS \
         FEATURE_RECOMMENDATIONS FEATURE_REVIEWS FEATURE_SEARCH_V3 LOG_SQL MAIL_TLS MAINTENANCE_MODE METRICS_ENABLED \
         TRACING_ENABLED TRUST_PROXY",
    ),
    (
        Shape::Title,
        "COMPANY_ADDRESS COMPANY_NAME INVOICE_FOOTER MAIL_FROM MAINTENANCE_MESSAGE SHOP_SLOGAN SHOP_TITLE SUPPORT_HOURS",
    ),
    (
        Shape::Url,
        "AMQP_URL CARRIER_API_URL DATABASE_READ_URL DATABASE_URL ELASTICSEARCH_URL PAYMENT_WEBHOOK_URL REDIS_CACHE_URL \
         REDIS_URL SENTRY_DSN TRACING_ENDPOINT",
    ),
    (Shape::Json, "CARRIER_ACCOUNTS CORS_POLICY FEATURE_ROLLOUT TAX_RATES"),
    (
        Shape::Key,
        "ALGOLIA_ADMIN_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY CARRIER_API_KEY COOKIE_SECRET CSRF_SECRET \
         DATADOG_API_KEY ENCRYPTION_KEY GEOCODER_KEY MAIL_PASSWORD MAPS_API_KEY OAUTH_CLIENT_SECRET PASSWORD_PEPPER \
         SENTRY_AUTH_TOKEN SESSION_SECRET SLACK_SIGNING_SECRET STRIPE_SECRET_KEY STRIPE_WEBHOOK_SECRET \
         TURNSTILE_SECRET WEBHOOK_SECRET",
    ),
    (Shape::Token, "ANALYTICS_TOKEN CMS_TOKEN FULFILMENT_TOKEN INTERNAL_API_TOKEN"),
    (Shape::Pem, "JWT_PRIVATE_KEY SAML_PRIVATE_KEY"),
];

/// Plain settings on the first level, services on the second, secrets on the third, where every sixth name of the
/// levels above is overridden too.
pub fn realistic() -> [Document; 3] {
    let mut numbers = Numbers::new(3);
    let mut levels = <[Document; 3]>::default();
    let names = NAMES.iter().flat_map(|&(shape, names)| names.split(' ').map(move |name| (shape, name)));
    for (number, (shape, name)) in names.enumerate() {
        let level = match shape {
            Shape::Word | Shape::Number | Shape::Flag | Shape::Title => 0,
            Shape::Url | Shape::Json => 1,
            Shape::Key | Shape::Token | Shape::Pem => 2,
        };
        set(&mut levels[level], name, &value(shape, &mut numbers));
        if level == 0 {
            levels[level].set_kind(name, Kind::Variable);
        }
        if level < 2 && number % 6 == 0 {
            set(&mut levels[2], name, &value(shape, &mut numbers));
        }
    }
    levels
}

/// Short names with short values, a third of them on each level.
pub fn tiny() -> [Document; 3] {
    let mut levels = <[Document; 3]>::default();
    for number in 0..99 {
        set(&mut levels[number % 3], &format!("NAME_{number}"), &format!("value{number}"));
    }
    set(&mut levels[0], "PORT", "8080");
    levels
}

fn value(shape: Shape, numbers: &mut Numbers) -> String {
    match shape {
        Shape::Word => {
            numbers.pick(&["acme-store", "production", "eu-central-1", "assets.acme.example", "json"]).into()
        }
        Shape::Number => (numbers.draw() % 60_000).to_string(),
        Shape::Flag => numbers.pick(&["true", "false"]).into(),
        Shape::Title => {
            numbers.pick(&["Acme Store", "Acme Store <orders@acme.example>", "Open Monday to Friday, 9 to 5"]).into()
        }
        Shape::Url => format!("postgres://store:{}@db.acme.example:5432/store?sslmode=require", numbers.hex(16)),
        Shape::Json => format!(
            r#"{{"version": {}, "accounts": [{{"id": "{}", "weight": 0.5}}, {{"id": "{}", "weight": 0.5}}]}}"#,
            numbers.draw() % 10,
            numbers.hex(8),
            numbers.hex(8)
        ),
        Shape::Key => format!("key_live_{}", numbers.hex(24)),
        Shape::Token => numbers.jwt(),
        Shape::Pem => numbers.pem(),
    }
}

fn set(document: &mut Document, name: &str, value: &str) {
    let name = name.parse().expect("invariant: these are names");
    document.set(name, value).expect("invariant: these are values");
}
