select {dimensions} scope_id from scopes where {scopes}
