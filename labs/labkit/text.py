"""Text without downloads: a tokenizer of characters, and a language model that says what it was told to."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Reply = str | Callable[[Sequence[Any]], str]


class CharTokenizer:
    """One token for each character of an alphabet; special tokens come first.

    >>> tokenizer = CharTokenizer("abc ", specials=("<eos>",))
    >>> tokenizer.encode("cab"), tokenizer.decode([3, 1, 2, 0])
    ([3, 1, 2], 'cab<eos>')
    """

    def __init__(self, alphabet: Iterable[str], specials: Sequence[str] = ()) -> None:
        self.tokens = [*specials, *dict.fromkeys(alphabet)]
        self.index = {token: number for number, token in enumerate(self.tokens)}
        self.specials = tuple(specials)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The characters' numbers.

        Raises:
            ValueError: a character is not in the alphabet.
        """
        strange = sorted(set(text) - set(self.index))
        if strange:
            raise ValueError(f"{strange[0]!r} is not in the alphabet of {len(self)} tokens")
        return [self.index[character] for character in text]

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of these numbers."""
        return "".join(self.tokens[int(token)] for token in tokens)

    def special(self, name: str) -> int:
        """The number of a special token."""
        return self.specials.index(name)


class ScriptExhausted(RuntimeError):
    """A scripted model was asked more often than its script has replies."""


class ScriptedLM:
    """Answers the n-th call with the n-th line of its script, whatever it is asked, and keeps the prompts.

    A line is a text, or a function of the prompt, so that a script can react to what it was shown.

    >>> llm = ScriptedLM(["think", lambda prompt: f"I was told {len(prompt)} messages"])
    >>> llm(["hello"]), llm(["a", "b"]), llm.calls
    ('think', 'I was told 2 messages', 2)
    """

    def __init__(self, script: Iterable[Reply]) -> None:
        self.script = list(script)
        self.prompts: list[Any] = []

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.prompts)

    def __call__(self, prompt: Any) -> str:
        """The next line.

        Raises:
            ScriptExhausted: there is none left.
        """
        if self.calls >= len(self.script):
            raise ScriptExhausted(f"the script ends after {len(self.script)} replies")
        reply = self.script[self.calls]
        self.prompts.append(prompt)
        return reply(prompt) if callable(reply) else reply
