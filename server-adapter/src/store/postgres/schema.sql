-- Version 1. Times are milliseconds since 1970; hashes are lower-case hexadecimal; flags are 0 and
-- 1. Texts compare by their bytes, whatever the database's own order is.

CREATE TABLE generations (
    id TEXT COLLATE "C" PRIMARY KEY,
    number BIGINT NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    generation_type TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    strategy TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    family_hash TEXT COLLATE "C" NOT NULL,
    cache_key TEXT COLLATE "C",
    seed TEXT COLLATE "C",
    rating_asked TEXT COLLATE "C" NOT NULL,
    rating_effective TEXT COLLATE "C" NOT NULL,
    rating_bound_by TEXT COLLATE "C",
    ttl_seconds BIGINT,
    force_new BIGINT NOT NULL,
    price_micros BIGINT,
    price_credits BIGINT,
    reserved_micros BIGINT NOT NULL,
    world_id TEXT COLLATE "C",
    workspace_id TEXT COLLATE "C",
    trace_id TEXT COLLATE "C" NOT NULL,
    -- Who is asked when the provider is down, as a JSON list.
    others TEXT,
    -- Whether anybody may fetch what is made.
    public BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    run BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    stage TEXT COLLATE "C",
    error TEXT COLLATE "C",
    fallback TEXT COLLATE "C",
    resubmitted BIGINT NOT NULL,
    cancel_requested BIGINT NOT NULL,
    reuse_key TEXT COLLATE "C",
    expires_at BIGINT,
    name TEXT COLLATE "C",
    description TEXT COLLATE "C",
    tags TEXT COLLATE "C",
    priority BIGINT NOT NULL,
    scheduled_at BIGINT,
    policy_attempts BIGINT NOT NULL,
    policy_fallback TEXT COLLATE "C",
    policy_unknown TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    lease_until BIGINT,
    next_run_at BIGINT NOT NULL,
    hinted BIGINT NOT NULL,
    token TEXT COLLATE "C",
    submitted_at BIGINT,
    prediction TEXT COLLATE "C",
    -- The provider that makes it, if not the asked one.
    serving TEXT COLLATE "C",
    -- Whose slot it holds, while an attempt is on its way.
    account TEXT COLLATE "C",
    deferred TEXT COLLATE "C",
    deadline_at BIGINT,
    overdue_at BIGINT,
    overdue BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    events BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    started_at BIGINT,
    completed_at BIGINT,
    deleted_at BIGINT,
    -- When a worker may take it: its lease's end while it is held; none when it is over.
    due_at BIGINT
);

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
    tenant TEXT COLLATE "C" PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE attempts (
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    number BIGINT NOT NULL,
    run BIGINT NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C",
    token TEXT COLLATE "C" NOT NULL UNIQUE,
    prediction TEXT COLLATE "C",
    submitted_at BIGINT NOT NULL,
    ended_at BIGINT,
    error TEXT COLLATE "C",
    PRIMARY KEY (generation, number)
);

-- What accounts were asked for on a day.
CREATE INDEX attempts_account ON attempts (submitted_at, account) WHERE account IS NOT NULL;

-- Bytes that lie somewhere, under a place that is never used again. The row goes first, then the
-- bytes.
CREATE TABLE blobs (
    sha256 TEXT COLLATE "C" PRIMARY KEY,
    place TEXT COLLATE "C" NOT NULL UNIQUE,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX blobs_age ON blobs (created_at);
-- By a provider's own id: for webhooks without a token, and for what is alike.
CREATE INDEX attempts_prediction ON attempts (provider, prediction) WHERE prediction IS NOT NULL;

-- Where providers report to: the hash of the token in the path of a webhook's URL.
CREATE TABLE webhook_doors (
    hash TEXT COLLATE "C" PRIMARY KEY,
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    attempt BIGINT NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL
);

CREATE INDEX webhook_doors_age ON webhook_doors (opened_at);

-- Where tenants are told of events; secrets are sealed.
CREATE TABLE webhook_endpoints (
    id TEXT COLLATE "C" PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    secret TEXT COLLATE "C" NOT NULL,
    old_secret TEXT COLLATE "C",
    old_until BIGINT,
    events TEXT COLLATE "C",
    from_cursor BIGINT NOT NULL,
    failing_since BIGINT,
    disabled_at BIGINT,
    disabled_reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL
);

-- What endpoints are told: each event once, sent until it is taken.
CREATE TABLE webhook_messages (
    id TEXT COLLATE "C" PRIMARY KEY,
    endpoint TEXT COLLATE "C" NOT NULL REFERENCES webhook_endpoints (id),
    message TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT,
    leased BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    last_status BIGINT,
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    UNIQUE (endpoint, message)
);

CREATE INDEX webhook_messages_due ON webhook_messages (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_messages_log ON webhook_messages (endpoint, id);

-- The place up to which events became messages.
CREATE TABLE webhook_told (
    one BIGINT PRIMARY KEY,
    cursor BIGINT NOT NULL
);

-- What providers told over webhooks: each delivery once.
CREATE TABLE webhook_receipts (
    provider TEXT COLLATE "C" NOT NULL,
    delivery TEXT COLLATE "C" NOT NULL,
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    attempt BIGINT NOT NULL,
    prediction TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (provider, delivery)
);

CREATE INDEX webhook_receipts_attempt ON webhook_receipts (generation, attempt);
CREATE INDEX webhook_receipts_age ON webhook_receipts (at);

CREATE TABLE assets (
    id TEXT COLLATE "C" PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    -- The rating that a bound must allow, if the whole tenant may see it.
    shared TEXT COLLATE "C",
    public BIGINT NOT NULL,
    -- None for what was uploaded.
    generation TEXT COLLATE "C" REFERENCES generations (id),
    idx BIGINT NOT NULL,
    provider TEXT COLLATE "C",
    sync TEXT COLLATE "C" NOT NULL,
    sync_attempts BIGINT NOT NULL,
    sync_error TEXT COLLATE "C",
    location TEXT COLLATE "C",
    media_type TEXT COLLATE "C",
    width BIGINT,
    height BIGINT,
    duration_ms BIGINT,
    bytes BIGINT,
    sha256 TEXT COLLATE "C" REFERENCES blobs (sha256),
    thumbnail TEXT COLLATE "C" REFERENCES blobs (sha256),
    name TEXT COLLATE "C",
    -- A JSON list of texts.
    tags TEXT COLLATE "C" NOT NULL,
    events BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE UNIQUE INDEX assets_output ON assets (generation, idx) WHERE generation IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX assets_upload ON assets (tenant, owner, sha256) WHERE generation IS NULL AND deleted_at IS NULL;
CREATE INDEX assets_list ON assets (tenant, owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX assets_stored ON assets (tenant, owner, bytes) WHERE deleted_at IS NULL;
CREATE INDEX assets_blob ON assets (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX assets_thumbnail ON assets (thumbnail) WHERE thumbnail IS NOT NULL;
CREATE INDEX assets_deleted ON assets (deleted_at) WHERE deleted_at IS NOT NULL AND sha256 IS NOT NULL;

-- The assets that a generation starts from.
CREATE TABLE inputs (
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    position BIGINT NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    asset TEXT COLLATE "C" NOT NULL REFERENCES assets (id),
    PRIMARY KEY (generation, position)
);

CREATE INDEX inputs_asset ON inputs (asset);

-- Assets as providers have them.
CREATE TABLE copies (
    asset TEXT COLLATE "C" NOT NULL REFERENCES assets (id),
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (asset, provider, account)
);

-- Who wants a generation; open while it is not over.
CREATE TABLE interests (
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    tenant TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    open BIGINT NOT NULL,
    PRIMARY KEY (generation, user_id)
);

CREATE INDEX interests_open ON interests (tenant, user_id) WHERE open = 1;

-- What readers are told. Positions are drawn before the commit, so that they do not tell the order of
-- commits; the cursor does, which `publish_events` gives to what is committed.
CREATE TABLE events (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    -- The rating that a bound must allow, if the whole tenant may be told.
    shared TEXT COLLATE "C",
    -- At least one of both: an asset that was uploaded has no generation.
    generation TEXT COLLATE "C" REFERENCES generations (id),
    asset TEXT COLLATE "C" REFERENCES assets (id),
    number BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C",
    -- The provider's own id of the attempt, as far as it was known.
    prediction TEXT COLLATE "C",
    at BIGINT NOT NULL,
    cursor BIGINT
);

CREATE UNIQUE INDEX events_generation ON events (generation, number) WHERE asset IS NULL;
CREATE UNIQUE INDEX events_asset ON events (asset, number) WHERE asset IS NOT NULL;

CREATE UNIQUE INDEX events_cursor ON events (cursor) WHERE cursor IS NOT NULL;
CREATE INDEX events_unpublished ON events (position) WHERE cursor IS NULL;

-- Money and runs, only ever added to: balances are sums.
CREATE TABLE ledger (
    entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    run BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    runs BIGINT NOT NULL,
    micros BIGINT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX ledger_user ON ledger (tenant, user_id, at);
CREATE UNIQUE INDEX ledger_reserved ON ledger (generation, run) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_settled ON ledger (generation, run) WHERE kind IN ('settle', 'release');

-- How creates were answered, by minute.
CREATE TABLE answers (
    minute BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    strategy TEXT NOT NULL,
    answer TEXT NOT NULL,
    count BIGINT NOT NULL,
    saved_micros BIGINT NOT NULL,
    PRIMARY KEY (minute, tenant, strategy, answer)
);

-- How runs ended: what telemetry is made of. Times lie in bins whose bounds grow by a fixed factor.
CREATE TABLE ended_runs (
    generation TEXT NOT NULL REFERENCES generations (id),
    run BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT,
    operation TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    wait_bin BIGINT,
    latency_bin BIGINT,
    micros BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (generation, run)
);

CREATE INDEX ended_runs_at ON ended_runs (at);

-- Who calls the API of the system before: the id of a key, method and path.
CREATE TABLE old_calls (
    key_id TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (key_id, route)
);

-- Answers to creates with an idempotency key.
CREATE TABLE receipts (
    tenant TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    route TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    status BIGINT NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id, route, key)
);

CREATE INDEX receipts_age ON receipts (created_at);

CREATE TABLE api_keys (
    hash TEXT COLLATE "C" PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- Accounts at providers. Nothing here counts what is in use: that are the rows of generations.
CREATE TABLE provider_accounts (
    id TEXT COLLATE "C" PRIMARY KEY,
    provider TEXT COLLATE "C" NOT NULL,
    -- Whose it is; NULL if it works for every tenant.
    tenant TEXT COLLATE "C",
    endpoint TEXT COLLATE "C",
    -- `env:NAME`, or `sealed:` and what only the key of the data folder opens.
    key_source TEXT COLLATE "C",
    priority BIGINT NOT NULL,
    concurrency BIGINT,
    daily_limit BIGINT,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    streak BIGINT NOT NULL,
    cooldown_until BIGINT,
    last_error TEXT COLLATE "C",
    last_used_at BIGINT,
    -- What the provider said last that is left, by kind, as a JSON object.
    credits TEXT COLLATE "C",
    credits_read_at BIGINT
);

CREATE INDEX provider_accounts_provider ON provider_accounts (provider, id);

-- What operators changed while everything runs: the last change of each name, and what it keeps
-- from being begun.
CREATE TABLE settings (
    name TEXT COLLATE "C" PRIMARY KEY,
    change TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C",
    author TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    stops TEXT COLLATE "C",
    stopped TEXT COLLATE "C" NOT NULL
);

CREATE TABLE setting_changes (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C",
    author TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    stops TEXT COLLATE "C",
    stopped TEXT COLLATE "C" NOT NULL
);

CREATE INDEX setting_changes_name ON setting_changes (name, at, id);
-- Families of prompts: what configs name by `templateId`.
CREATE TABLE prompt_families (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    description TEXT COLLATE "C",
    latest BIGINT NOT NULL,
    split TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- Their versions, which never change.
CREATE TABLE prompt_versions (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    negative_text TEXT COLLATE "C",
    -- Types and defaults by name, as a JSON object.
    variables TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    notes TEXT COLLATE "C",
    parent TEXT COLLATE "C",
    content_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, family) REFERENCES prompt_families (tenant, id)
);

CREATE UNIQUE INDEX prompt_versions_number ON prompt_versions (tenant, family, number);
CREATE UNIQUE INDEX prompt_versions_content ON prompt_versions (tenant, content_hash, family);

-- How runs of versions ended; one row for each, kept as long as the version.
CREATE TABLE prompt_runs (
    generation TEXT COLLATE "C" NOT NULL REFERENCES generations (id),
    run BIGINT NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    family TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C",
    micros BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (generation, run)
);

CREATE INDEX prompt_runs_family ON prompt_runs (tenant, family, at);

-- What a tenant blocks and flags in prompts.
CREATE TABLE tenant_terms (
    tenant TEXT COLLATE "C" PRIMARY KEY,
    terms TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE FUNCTION prompt_version_is_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a prompt never changes';
END $$;

CREATE TRIGGER prompt_versions_kept BEFORE UPDATE ON prompt_versions
    FOR EACH STATEMENT EXECUTE FUNCTION prompt_version_is_kept();

CREATE TABLE users (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    max_rating TEXT COLLATE "C",
    reduce_intensity BIGINT NOT NULL,
    price_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE worlds (
    tenant TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    meta TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- Gives every committed event that has none its cursor, one caller at a time, and says the last one.
-- Whoever waited for their turn sees what others committed meanwhile: every statement in here looks
-- anew. Readers therefore never see a cursor before all smaller ones.
CREATE FUNCTION publish_events() RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE
    last_cursor BIGINT;
BEGIN
    IF EXISTS (SELECT 1 FROM events WHERE cursor IS NULL) THEN
        PERFORM pg_advisory_xact_lock(7311040222001);
        SELECT coalesce(max(cursor), 0) INTO last_cursor FROM events WHERE cursor IS NOT NULL;
        UPDATE events SET cursor = last_cursor + fresh.turn
            FROM (SELECT position, row_number() OVER (ORDER BY position) AS turn
                  FROM events WHERE cursor IS NULL) AS fresh
            WHERE events.position = fresh.position;
        PERFORM pg_notify('onepath_events', '');
    END IF;
    SELECT coalesce(max(cursor), 0) INTO last_cursor FROM events WHERE cursor IS NOT NULL;
    RETURN last_cursor;
END $$;

CREATE FUNCTION ledger_is_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only added to';
END $$;

CREATE TRIGGER ledger_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_kept();

-- What was asked never changes after the insert.
CREATE FUNCTION asked_is_kept() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was asked never changes';
END $$;

CREATE TRIGGER generations_asked BEFORE UPDATE ON generations FOR EACH ROW
    WHEN (OLD.id IS DISTINCT FROM NEW.id
    OR OLD.number IS DISTINCT FROM NEW.number
    OR OLD.tenant IS DISTINCT FROM NEW.tenant
    OR OLD.request IS DISTINCT FROM NEW.request
    OR OLD.generation_type IS DISTINCT FROM NEW.generation_type
    OR OLD.operation IS DISTINCT FROM NEW.operation
    OR OLD.provider IS DISTINCT FROM NEW.provider
    OR OLD.strategy IS DISTINCT FROM NEW.strategy
    OR OLD.request_hash IS DISTINCT FROM NEW.request_hash
    OR OLD.family_hash IS DISTINCT FROM NEW.family_hash
    OR OLD.cache_key IS DISTINCT FROM NEW.cache_key
    OR OLD.seed IS DISTINCT FROM NEW.seed
    OR OLD.reserved_micros IS DISTINCT FROM NEW.reserved_micros
    OR OLD.rating_asked IS DISTINCT FROM NEW.rating_asked
    OR OLD.rating_effective IS DISTINCT FROM NEW.rating_effective
    OR OLD.rating_bound_by IS DISTINCT FROM NEW.rating_bound_by
    OR OLD.ttl_seconds IS DISTINCT FROM NEW.ttl_seconds
    OR OLD.force_new IS DISTINCT FROM NEW.force_new
    OR OLD.price_micros IS DISTINCT FROM NEW.price_micros
    OR OLD.price_credits IS DISTINCT FROM NEW.price_credits
    OR OLD.world_id IS DISTINCT FROM NEW.world_id
    OR OLD.workspace_id IS DISTINCT FROM NEW.workspace_id
    OR OLD.public IS DISTINCT FROM NEW.public
    OR OLD.trace_id IS DISTINCT FROM NEW.trace_id
    OR OLD.others IS DISTINCT FROM NEW.others
    OR OLD.policy_attempts IS DISTINCT FROM NEW.policy_attempts
    OR OLD.policy_fallback IS DISTINCT FROM NEW.policy_fallback
    OR OLD.policy_unknown IS DISTINCT FROM NEW.policy_unknown
    OR OLD.created_at IS DISTINCT FROM NEW.created_at)
    EXECUTE FUNCTION asked_is_kept();
