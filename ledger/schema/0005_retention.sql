-- Since when raw usage is kept: what is older was deleted by retention, its hourly sums stay as they are.

-- One row at most. A record before `usage_from` is refused: whether it was counted already is not known any more.
create table kept_from (
    usage_from timestamp not null,
    hourly_from timestamp,
    saved_at timestamp not null
);

-- One row where users are stored under pseudonyms; `mark` is the pseudonym of a fixed name, by which a key is known again.
create table pseudonymous (
    mark varchar not null
);
