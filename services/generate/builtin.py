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
        return ModelAnswer(
            text=text,
            finish_reason="stop",
            prompt_tokens=0,
            completion_tokens=0,
            cached_tokens=0,
            raw=text,
            latency_ms=(monotonic() - began) * 1000,
            model="extractive",
            notes={"temperature": IGNORED, "seed": IGNORED},
        )
