-- Version 1. Times are milliseconds since 1970; hashes are lower-case hexadecimal.

CREATE TABLE generations (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    request TEXT NOT NULL,
    generation_type TEXT NOT NULL,
    operation TEXT NOT NULL,
    provider TEXT NOT NULL,
    strategy TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    family_hash TEXT NOT NULL,
    cache_key TEXT,
    seed TEXT,
    rating_asked TEXT NOT NULL,
    rating_effective TEXT NOT NULL,
    rating_bound_by TEXT,
    ttl_seconds INTEGER,
    force_new INTEGER NOT NULL,
    price_micros INTEGER,
    price_credits INTEGER,
    reserved_micros INTEGER NOT NULL,
    world_id TEXT,
    workspace_id TEXT,
    trace_id TEXT NOT NULL,
    -- Who is asked when the provider is down, as a JSON list.
    others TEXT,
    -- Whether anybody may fetch what is made.
    public INTEGER NOT NULL,
    status TEXT NOT NULL,
    run INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    stage TEXT,
    error TEXT,
    fallback TEXT,
    resubmitted INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    reuse_key TEXT,
    expires_at INTEGER,
    name TEXT,
    description TEXT,
    tags TEXT,
    priority INTEGER NOT NULL,
    scheduled_at INTEGER,
    policy_attempts INTEGER NOT NULL,
    policy_fallback TEXT,
    policy_unknown TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    next_run_at INTEGER NOT NULL,
    hinted INTEGER NOT NULL,
    token TEXT,
    submitted_at INTEGER,
    prediction TEXT,
    -- The provider that makes it, if not the asked one.
    serving TEXT,
    -- Whose slot it holds, while an attempt is on its way.
    account TEXT,
    deferred TEXT,
    deadline_at INTEGER,
    overdue_at INTEGER,
    overdue INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    events INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    deleted_at INTEGER,
    -- When a worker may take it: its lease's end while it is held; none when it is over.
    due_at INTEGER
) STRICT;

CREATE UNIQUE INDEX generations_reuse ON generations (tenant, reuse_key) WHERE reuse_key IS NOT NULL;
CREATE UNIQUE INDEX generations_number ON generations (tenant, number);
CREATE INDEX generations_hash ON generations (tenant, request_hash, owner) WHERE status = 'completed';
CREATE INDEX generations_list ON generations (tenant, owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX generations_due ON generations (priority, next_run_at, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX generations_due_at ON generations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX generations_served ON generations (tenant, started_at) WHERE started_at IS NOT NULL;
CREATE INDEX generations_account ON generations (account) WHERE account IS NOT NULL;
CREATE INDEX generations_deferred ON generations ((COALESCE(serving, provider)), deferred, priority, created_at)
    WHERE deferred IS NOT NULL;

CREATE TABLE numbers (
    tenant TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (
    generation TEXT NOT NULL REFERENCES generations (id),
    number INTEGER NOT NULL,
    run INTEGER NOT NULL,
    provider TEXT NOT NULL,
    account TEXT,
    token TEXT NOT NULL UNIQUE,
    prediction TEXT,
    submitted_at INTEGER NOT NULL,
    ended_at INTEGER,
    error TEXT,
    PRIMARY KEY (generation, number)
) STRICT, WITHOUT ROWID;

-- What accounts were asked for on a day.
CREATE INDEX attempts_account ON attempts (submitted_at, account) WHERE account IS NOT NULL;

-- Bytes that lie somewhere, under a place that is never used again. The row goes first, then the
-- bytes.
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    place TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX blobs_age ON blobs (created_at);
-- By a provider's own id: for webhooks without a token, and for what is alike.
CREATE INDEX attempts_prediction ON attempts (provider, prediction) WHERE prediction IS NOT NULL;

-- Where providers report to: the hash of the token in the path of a webhook's URL.
CREATE TABLE webhook_doors (
    hash TEXT PRIMARY KEY,
    generation TEXT NOT NULL REFERENCES generations (id),
    attempt INTEGER NOT NULL,
    provider TEXT NOT NULL,
    opened_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_doors_age ON webhook_doors (opened_at);

-- Where tenants are told of events; secrets are sealed.
CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_until INTEGER,
    events TEXT,
    from_cursor INTEGER NOT NULL,
    failing_since INTEGER,
    disabled_at INTEGER,
    disabled_reason TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What endpoints are told: each event once, sent until it is taken.
CREATE TABLE webhook_messages (
    id TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL REFERENCES webhook_endpoints (id),
    message TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER,
    leased INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    last_status INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    UNIQUE (endpoint, message)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_messages_due ON webhook_messages (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_messages_log ON webhook_messages (endpoint, id);

-- The place up to which events became messages.
CREATE TABLE webhook_told (
    one INTEGER PRIMARY KEY,
    cursor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What providers told over webhooks: each delivery once.
CREATE TABLE webhook_receipts (
    provider TEXT NOT NULL,
    delivery TEXT NOT NULL,
    generation TEXT NOT NULL REFERENCES generations (id),
    attempt INTEGER NOT NULL,
    prediction TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (provider, delivery)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_receipts_attempt ON webhook_receipts (generation, attempt);
CREATE INDEX webhook_receipts_age ON webhook_receipts (at);

CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- The rating that a bound must allow, if the whole tenant may see it.
    shared TEXT,
    public INTEGER NOT NULL,
    -- None for what was uploaded.
    generation TEXT REFERENCES generations (id),
    idx INTEGER NOT NULL,
    provider TEXT,
    sync TEXT NOT NULL,
    sync_attempts INTEGER NOT NULL,
    sync_error TEXT,
    location TEXT,
    media_type TEXT,
    width INTEGER,
    height INTEGER,
    duration_ms INTEGER,
    bytes INTEGER,
    sha256 TEXT REFERENCES blobs (sha256),
    thumbnail TEXT REFERENCES blobs (sha256),
    name TEXT,
    -- A JSON list of texts.
    tags TEXT NOT NULL,
    events INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX assets_output ON assets (generation, idx) WHERE generation IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX assets_upload ON assets (tenant, owner, sha256) WHERE generation IS NULL AND deleted_at IS NULL;
CREATE INDEX assets_list ON assets (tenant, owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX assets_stored ON assets (tenant, owner, bytes) WHERE deleted_at IS NULL;
CREATE INDEX assets_blob ON assets (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX assets_thumbnail ON assets (thumbnail) WHERE thumbnail IS NOT NULL;
CREATE INDEX assets_deleted ON assets (deleted_at) WHERE deleted_at IS NOT NULL AND sha256 IS NOT NULL;

-- The assets that a generation starts from.
CREATE TABLE inputs (
    generation TEXT NOT NULL REFERENCES generations (id),
    position INTEGER NOT NULL,
    role TEXT NOT NULL,
    asset TEXT NOT NULL REFERENCES assets (id),
    PRIMARY KEY (generation, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX inputs_asset ON inputs (asset);

-- Assets as providers have them.
CREATE TABLE copies (
    asset TEXT NOT NULL REFERENCES assets (id),
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    reference TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (asset, provider, account)
) STRICT, WITHOUT ROWID;

-- Who wants a generation; open while it is not over.
CREATE TABLE interests (
    generation TEXT NOT NULL REFERENCES generations (id),
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    since INTEGER NOT NULL,
    open INTEGER NOT NULL,
    PRIMARY KEY (generation, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX interests_open ON interests (tenant, user_id) WHERE open = 1;

-- What readers are told. One writer commits at a time, so that the order of positions is the order
-- of commits.
CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    -- The rating that a bound must allow, if the whole tenant may be told.
    shared TEXT,
    -- At least one of both: an asset that was uploaded has no generation.
    generation TEXT REFERENCES generations (id),
    asset TEXT REFERENCES assets (id),
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    -- The provider's own id of the attempt, as far as it was known.
    prediction TEXT,
    at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_generation ON events (generation, number) WHERE asset IS NULL;
CREATE UNIQUE INDEX events_asset ON events (asset, number) WHERE asset IS NOT NULL;

-- Money and runs, only ever added to: balances are sums.
CREATE TABLE ledger (
    entry INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    generation TEXT NOT NULL REFERENCES generations (id),
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    runs INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX ledger_user ON ledger (tenant, user_id, at);
CREATE UNIQUE INDEX ledger_reserved ON ledger (generation, run) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_settled ON ledger (generation, run) WHERE kind IN ('settle', 'release');

-- How creates were answered, by minute.
CREATE TABLE answers (
    minute INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    strategy TEXT NOT NULL,
    answer TEXT NOT NULL,
    count INTEGER NOT NULL,
    saved_micros INTEGER NOT NULL,
    PRIMARY KEY (minute, tenant, strategy, answer)
) STRICT, WITHOUT ROWID;

-- How runs ended: what telemetry is made of. Times lie in bins whose bounds grow by a fixed factor.
CREATE TABLE ended_runs (
    generation TEXT NOT NULL REFERENCES generations (id),
    run INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT,
    operation TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    wait_bin INTEGER,
    latency_bin INTEGER,
    micros INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (generation, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_runs_at ON ended_runs (at);

-- Who calls the API of the system before: the id of a key, method and path.
CREATE TABLE old_calls (
    key_id TEXT NOT NULL,
    route TEXT NOT NULL,
    calls INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, route)
) STRICT, WITHOUT ROWID;

-- Answers to creates with an idempotency key.
CREATE TABLE receipts (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    location TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id, route, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_age ON receipts (created_at);

CREATE TABLE api_keys (
    hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Accounts at providers. Nothing here counts what is in use: that are the rows of generations.
CREATE TABLE provider_accounts (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    -- Whose it is; NULL if it works for every tenant.
    tenant TEXT,
    endpoint TEXT,
    -- `env:NAME`, or `sealed:` and what only the key of the data folder opens.
    key_source TEXT,
    priority INTEGER NOT NULL,
    concurrency INTEGER,
    daily_limit INTEGER,
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    streak INTEGER NOT NULL,
    cooldown_until INTEGER,
    last_error TEXT,
    last_used_at INTEGER,
    -- What the provider said last that is left, by kind, as a JSON object.
    credits TEXT,
    credits_read_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_accounts_provider ON provider_accounts (provider, id);

-- What operators changed while everything runs: the last change of each name, and what it keeps
-- from being begun.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    change TEXT NOT NULL,
    value TEXT,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    stops TEXT,
    stopped TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting_changes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    value TEXT,
    author TEXT NOT NULL,
    at INTEGER NOT NULL,
    stops TEXT,
    stopped TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX setting_changes_name ON setting_changes (name, at, id);
-- Families of prompts: what configs name by `templateId`.
CREATE TABLE prompt_families (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    description TEXT,
    latest INTEGER NOT NULL,
    split TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Their versions, which never change.
CREATE TABLE prompt_versions (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    family TEXT NOT NULL,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    negative_text TEXT,
    -- Types and defaults by name, as a JSON object.
    variables TEXT NOT NULL,
    author TEXT NOT NULL,
    notes TEXT,
    parent TEXT,
    content_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, family) REFERENCES prompt_families (tenant, id)
) STRICT;

CREATE UNIQUE INDEX prompt_versions_number ON prompt_versions (tenant, family, number);
CREATE UNIQUE INDEX prompt_versions_content ON prompt_versions (tenant, content_hash, family);

-- How runs of versions ended; one row for each, kept as long as the version.
CREATE TABLE prompt_runs (
    generation TEXT NOT NULL REFERENCES generations (id),
    run INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    family TEXT NOT NULL,
    version TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    micros INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (generation, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX prompt_runs_family ON prompt_runs (tenant, family, at);

-- What a tenant blocks and flags in prompts.
CREATE TABLE tenant_terms (
    tenant TEXT PRIMARY KEY,
    terms TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER prompt_versions_kept BEFORE UPDATE ON prompt_versions BEGIN SELECT RAISE(ABORT, 'a version of a prompt never changes'); END;

CREATE TABLE users (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    max_rating TEXT,
    reduce_intensity INTEGER NOT NULL,
    price_id TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE worlds (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    meta TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_kept BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END;
CREATE TRIGGER ledger_whole BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END;

-- What was asked never changes after the insert.
CREATE TRIGGER generations_asked BEFORE UPDATE ON generations
WHEN OLD.id IS NOT NEW.id OR OLD.number IS NOT NEW.number OR OLD.tenant IS NOT NEW.tenant
  OR OLD.request IS NOT NEW.request OR OLD.generation_type IS NOT NEW.generation_type
  OR OLD.operation IS NOT NEW.operation OR OLD.provider IS NOT NEW.provider
  OR OLD.strategy IS NOT NEW.strategy OR OLD.request_hash IS NOT NEW.request_hash
  OR OLD.family_hash IS NOT NEW.family_hash OR OLD.cache_key IS NOT NEW.cache_key
  OR OLD.seed IS NOT NEW.seed OR OLD.reserved_micros IS NOT NEW.reserved_micros
  OR OLD.rating_asked IS NOT NEW.rating_asked
  OR OLD.rating_effective IS NOT NEW.rating_effective
  OR OLD.rating_bound_by IS NOT NEW.rating_bound_by OR OLD.ttl_seconds IS NOT NEW.ttl_seconds
  OR OLD.force_new IS NOT NEW.force_new OR OLD.price_micros IS NOT NEW.price_micros
  OR OLD.price_credits IS NOT NEW.price_credits
  OR OLD.world_id IS NOT NEW.world_id OR OLD.workspace_id IS NOT NEW.workspace_id
  OR OLD.public IS NOT NEW.public
  OR OLD.trace_id IS NOT NEW.trace_id OR OLD.others IS NOT NEW.others OR OLD.policy_attempts IS NOT NEW.policy_attempts
  OR OLD.policy_fallback IS NOT NEW.policy_fallback
  OR OLD.policy_unknown IS NOT NEW.policy_unknown OR OLD.created_at IS NOT NEW.created_at
BEGIN
    SELECT RAISE(ABORT, 'what was asked never changes');
END;
