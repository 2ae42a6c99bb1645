-- What the nightly refit learnt, kept for the hourly path: a few midnights, each with the arrays of its model.

-- A model is of the usage before `fitted_at`, a midnight; `facts` is JSON that says what the arrays do not.
create table kept_models (
    fitted_at timestamp not null,
    settings varchar not null,
    layout varchar not null,
    facts varchar not null
);

-- What each array of a model is; `block` numbers the blocks of series, -1 is of the model as a whole.
create table kept_arrays (
    array_id integer not null,
    fitted_at timestamp not null,
    block integer not null,
    name varchar not null,
    dtype varchar not null,
    shape integer[] not null
);

-- The numbers of the arrays in their order: a scan finds those of one array without reading the others. NaN is null.
create table kept_numbers (
    array_id integer not null,
    number double
);

-- The series that a model was ever fitted to, numbered for good; dimensions a series does not pin are null.
create table kept_series (
    series_id integer not null,
    level varchar not null,
    provider varchar,
    model varchar,
    team varchar,
    project varchar,
    key_id varchar,
    user varchar,
    feature varchar,
    region varchar,
    service_tier varchar,
    client varchar
);

-- Whole days of the series that were flagged on them: what is not learnt from, and how a spike still open began.
create table kept_hours (
    series_id integer not null,
    hour timestamp not null,
    actual double not null,
    expected double not null,
    scale double not null,
    score double not null,
    flagged tinyint not null,
    masked boolean not null,
    terms double[] not null
);
