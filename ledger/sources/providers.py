"""The names other systems give to providers, and the one name we use for each."""

from collections.abc import Mapping

SELLERS: Mapping[str, str] = {
    "amazon": "aws",
    "amazon bedrock": "aws",
    "amazon web services": "aws",
    "cohere inc.": "cohere",
    "fireworks ai": "fireworks",
    "github": "github-copilot",
    "google cloud": "google",
    "google cloud platform": "google",
    "gcp": "google",
    "microsoft": "azure",
    "microsoft azure": "azure",
    "mistral ai": "mistral",
    "moonshot ai": "moonshotai",
    "together ai": "together",
    "voyage ai": "voyageai",
    "xai": "x-ai",
}
"""Who sells a service, as bills name them (in lower case)."""

GATEWAY_PROVIDERS: Mapping[str, str] = {
    "azure_ai": "azure",
    "azure_text": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "github_copilot": "github-copilot",
    "moonshot": "moonshotai",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "google",
    "vertex_ai_beta": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
}
"""`custom_llm_provider` of LiteLLM where it is not our name already."""


def renamed_sql(column: str, names: Mapping[str, str]) -> str:
    """SQL of a provider's name: ours where it is known under another, else the given one in lower case."""
    cases = " ".join(f"when '{theirs}' then '{ours}'" for theirs, ours in names.items())
    return f"case lower(trim({column})) {cases} else lower(trim({column})) end"
