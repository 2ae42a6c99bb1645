select u.identity from usage u where {instants} and {scopes}
