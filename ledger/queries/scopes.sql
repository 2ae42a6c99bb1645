select scope_id, provider, model, team, project, key_id, user, feature, region, service_tier, client
from scopes
where {scope}
