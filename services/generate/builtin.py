"""The built-in extractive model as a provider: it reads the prompt as any model would. Costs nothing, calls nobody."""

from services.generate.extractive.respond import respond
from services.generate.prompts.read import read_prompt
from shared.clock import monotonic
from shared.llm.model import ModelAnswer, ModelRequest

IGNORED = "the built-in model is deterministic"


class BuiltIn:
    """Answers by rules. Temperature and seed change nothing, and it says so."""

    async def complete(self, request: ModelRequest) -> ModelAnswer:
        began = monotonic()
        system = "\n".join(text for role, text in request.messages if role == "system")
        user = next(text for role, text in request.messages if role == "user")
        text = respond(read_prompt(system, user))
        return _answer(text, (monotonic() - began) * 1000)

    def read(self, request: ModelRequest, raw: str) -> ModelAnswer:
        del request  # its answers are their own whole text
        return _answer(raw, 0.0)


def _answer(text: str, latency_ms: float) -> ModelAnswer:
    return ModelAnswer(
        text=text,
        finish_reason="stop",
        prompt_tokens=0,
        completion_tokens=0,
        cached_tokens=0,
        raw=text,
        latency_ms=latency_ms,
        model="extractive",
        notes={"temperature": IGNORED, "seed": IGNORED},
    )
