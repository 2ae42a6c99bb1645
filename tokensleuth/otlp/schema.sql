-- What clients pushed, until it is loaded and for as long as it may be restated. Hours are counted since 1970.

create table if not exists facts (name text primary key, value text not null) without rowid;

-- Requests by the digest of their body: one that comes again, because its answer was lost, is known.
create table if not exists digests (digest blob primary key, received integer not null) without rowid;

-- Requests that are stored and not folded into the tables below yet.
create table if not exists pending (number integer primary key autoincrement, payload blob not null);

-- The last point of each series: of cumulative ones by start time, for the difference to the next.
create table if not exists series (
    key text primary key, process text not null, start integer not null, time integer not null,
    calls integer not null, tokens integer not null
) without rowid;

-- Processes (a resource and a start time), when they exported last, and before that (0: never).
create table if not exists processes (
    key text primary key, before integer not null, last integer not null
) without rowid;

create table if not exists scopes (
    scope text primary key, client text not null, provider text not null, cells text not null
) without rowid;

-- What metrics told of an hour and scope so far. `part` is not 0 for points that came after their hour was pruned.
-- `changed` is the number of the fold that last added to it, `loaded` the one up to which the ledger has it.
create table if not exists hours (
    hour integer not null, scope text not null, part integer not null,
    input_calls integer not null, input_tokens integer not null,
    output_calls integer not null, output_tokens integer not null,
    changed integer not null, loaded integer not null,
    primary key (hour, scope, part)
) without rowid;
create index if not exists hours_changed on hours (hour) where changed > loaded;

-- Which clients told an hour by metrics.
create table if not exists metric_hours (
    hour integer not null, client text not null, provider text not null,
    primary key (hour, client, provider)
) without rowid;

-- One call of a model each. `told` says that the ledger may hold it.
create table if not exists spans (
    trace text not null, span text not null, parent text not null, hour integer not null,
    client text not null, provider text not null, tokens integer not null, cells text not null,
    told integer not null, changed integer not null, loaded integer not null,
    primary key (trace, span)
) without rowid;
create index if not exists spans_parent on spans (trace, parent);
create index if not exists spans_hour on spans (hour, client, provider);
create index if not exists spans_changed on spans (hour) where changed > loaded;
