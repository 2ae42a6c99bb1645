-- What `sync` keeps about the sources it pulls from, and what providers say a day cost.

-- Everything of a stream before `complete_until` has been pulled; the trailing hours are pulled again for late data.
create table pulled_streams (
    source varchar not null,
    stream varchar not null,
    complete_until timestamp not null,
    pulled_at timestamp not null
);

-- The rows of the buckets that may be pulled again: one that a later answer no longer has is restated to nothing.
create table pulled_rows (
    source varchar not null,
    stream varchar not null,
    hour timestamp not null,
    record_id varchar not null,
    cells varchar not null
);

-- Names of keys, projects, workspaces and users, by the id that usage carries; the owner map's globs see both.
create table source_names (
    provider varchar not null,
    dimension varchar not null,
    id varchar not null,
    name varchar not null
);

-- Daily costs as the provider reports them, replaced a day at a time; for reconciliation, never added to spend.
create table provider_costs (
    source varchar not null,
    provider varchar not null,
    day date not null,
    project varchar not null,
    key_id varchar not null,
    line_item varchar not null,
    quantity decimal(38, 9),
    unit varchar not null,
    cost hugeint not null,
    pulled_at timestamp not null
);
