"""Who made a model, from its name alone: only makers that sell it themselves under that very name."""

import re

from ledger.scope import UNALLOCATED

_MAKER_NAMES = (
    ("anthropic", r"(anthropic/)?claude-[^/:@]+"),
    ("openai", r"(openai/)?(gpt-(?!oss|neo|j-|35)|chatgpt-|codex-mini|computer-use-preview)[^/:@]+"),
    ("openai", r"(openai/)?o[134](-[^/:@]+)?|ft:(gpt-|o[134]|davinci|babbage).+"),
    ("openai", r"(openai/)?(text-embedding-(3|ada)|text-davinci|dall-e|omni-moderation|sora)-[^/:@]+"),
    ("openai", r"(openai/)?(codex-mini|computer-use-preview|whisper-1|tts-1(-.+)?|(davinci|babbage)-002)"),
    ("google", r"((google|gemini)/)?gemini-[^/:@]+"),
    ("x-ai", r"(x-?ai/)?grok-[^/:@]+"),
    ("deepseek", r"deepseek-(chat|reasoner|flash|v4-(flash|pro))"),
    (
        "mistral",
        r"(mi(ni)?stral|magistral|codestral|devstral|pixtral|voxtral)(?!.*instruct).*-(latest|2\d[01]\d)",
    ),
    ("mistral", r"mistral-(embed|tiny)|open-mi[sx]tral-[^/:@]+"),
    ("moonshotai", r"moonshot-v1-.+|kimi-(latest|k\d(\.\d+)?)(?!.*instruct)(-[^/:@]+)?"),
    ("minimax", r"minimax-m\d(\.\d+)?(-[^/:@]+)?"),
    (
        "cohere",
        r"command(-(a|r|r-plus|r7b|light|nightly)(-[^/:@]+)?)?|embed-(english|multilingual|v4)[^/:@]*",
    ),
    ("perplexity", r"sonar(-[^/:@]+)?"),
    ("voyageai", r"voyage-[^/:@]+"),
    ("cursor", r"composer-[^/:@]+"),
    ("meta", r"muse-(spark-\d|wonder)[^/:@]*"),
)
"""Open weights that many sell under one name (gpt-oss, llama, qwen, glm, gemma) have no maker here, nor have
the names clouds give: `gpt-35-turbo` is Azure's, `claude-x@date` Vertex's, `anthropic.claude-x` Bedrock's."""

_MAKERS = tuple((maker, re.compile(names)) for maker, names in _MAKER_NAMES)


def provider_of(model: str) -> str:
    """The maker, or UNALLOCATED where the name does not say it for sure."""
    name = model.strip().lower()
    return next((maker for maker, names in _MAKERS if names.fullmatch(name)), UNALLOCATED)
