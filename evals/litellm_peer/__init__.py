"""A real LiteLLM proxy on PostgreSQL: installed once into a cache folder, started while it is needed."""
