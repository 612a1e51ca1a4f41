"""Just enough C++ reading for the coroutine rules: tokens, brackets, and which braces are blocks."""

import dataclasses
import re

import house

TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|->\*?|::|\"[^\"]*\"|'[^']*'|&&|\|\||\S")
OPENING = {"(": ")", "[": "]", "{": "}"}
CONDITIONS = {"if", "while", "for", "switch"}
CONTROL = CONDITIONS | {"catch"}
BEFORE_BLOCK = {"else", "do", "try", ";", "}", ":", "const", "noexcept", "mutable", "override", "final"}
SCOPES = {"class", "struct", "union", "enum", "namespace", "extern"}


@dataclasses.dataclass
class Token:
    text: str
    line: int


@dataclasses.dataclass(eq=False)
class Bracket:
    """One bracket or brace with what it is: parentheses, square, block or initialiser."""

    kind: str
    start: int
    parent: "Bracket | None"
    end: int = -1
    before: str = ""  # for parentheses: the token before; for blocks: control, function, scope or plain


def tokens_of(text):
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.MULTILINE)
    text = house.without_comments(text, keep_strings=False)
    text = re.sub(r"\[\[.*?\]\]", lambda m: " " * len(m.group()), text)
    found, line, last = [], 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        found.append(Token(match.group(), line))
    return found


def introduces_lambda(tokens, index):
    """Whether the `[` at `index` begins a lambda and is no subscript or structured binding."""
    before = tokens[index - 1].text if index else ";"
    if before in ("return", "co_return", "co_await", "co_yield"):
        return True
    return not (re.match(r"[\w\"]", before) or before in (")", "]", "&", "&&", "*", ">")) or _argument(tokens, index)


def _argument(tokens, index):
    # `a && [x] {…}`: a structured binding has `auto` before its ampersand.
    return tokens[index - 1].text in ("&", "&&") and index > 1 and tokens[index - 2].text != "auto"


class Source:
    """The tokens of one file with the bracket around each."""

    def __init__(self, text):
        self.tokens = tokens_of(text)
        self.enclosing = []  # of each token: the innermost bracket around it, or None
        self.brackets = []
        current = None
        for index, token in enumerate(self.tokens):
            if token.text in OPENING:
                self.enclosing.append(current)
                current = self._open(index, current)
                self.brackets.append(current)
            elif token.text in OPENING.values():
                if current is not None:
                    current.end = index
                    current = current.parent
                self.enclosing.append(current)
            else:
                self.enclosing.append(current)

    def _open(self, index, parent):
        text = self.tokens[index].text
        before = self.tokens[index - 1].text if index else ";"
        if text == "(":
            if before == "constexpr" and index > 1:
                before = self.tokens[index - 2].text
            return Bracket("parentheses", index, parent, before=before)
        if text == "[":
            return Bracket("lambda" if introduces_lambda(self.tokens, index) else "square", index, parent)
        kind = self._block_kind(index, parent, before)
        return Bracket("block" if kind else "initialiser", index, parent, before=kind or "")

    def _opened_by(self, closing_index):
        for bracket in reversed(self.brackets):
            if bracket.end == closing_index:
                return bracket
        return None

    def _block_kind(self, index, parent, before):
        """What block the `{` at `index` begins, or nothing for an initialiser."""
        in_block = parent is None or parent.kind == "block"
        if before == ")":
            parentheses = self._opened_by(index - 1)
            if parentheses and parentheses.before in CONTROL:
                return "control"
            return "function"
        if before == "]":
            square = self._opened_by(index - 1)
            return "function" if square and square.kind == "lambda" else None
        if before in ("const", "noexcept", "mutable", "override", "final"):
            return "function"
        if before in ("else", "do", "try"):
            return "control"
        if before in (";", "{", "}", ":"):
            return "plain" if in_block else None
        statement = [token.text for token in self._statement_before(index)]
        if self._trailing_return(statement):
            return "function"
        if in_block and SCOPES & set(statement[:4]) and "=" not in statement:
            return "scope"
        return None

    def _statement_before(self, index):
        """The tokens at the level of `index` between the last boundary and it."""
        level, found = self.enclosing[index], []
        for at in range(index - 1, -1, -1):
            if level is not None and at <= level.start:
                break
            if self.enclosing[at] is not level:
                continue
            if self.tokens[at].text in (";", "{", "}"):
                break
            found.append(self.tokens[at])
        return list(reversed(found))

    @staticmethod
    def _trailing_return(statement):
        if "->" not in statement:
            return False
        arrow = len(statement) - 1 - statement[::-1].index("->")
        if arrow == 0 or statement[arrow - 1] not in (")", "mutable", "noexcept", "const"):
            return False
        depth = 0
        for text in statement[arrow + 1 :]:
            depth += {"<": 1, ">": -1}.get(text, 0)
            if (text == "," and depth <= 0) or not (re.match(r"\w", text) or text in ("<", ">", ",", "::", "*", "&", "&&")):
                return False
        return True

    def block_of(self, index):
        """The innermost block around the token, and the brackets that lie between."""
        crossed, bracket = [], self.enclosing[index]
        while bracket is not None and bracket.kind != "block":
            crossed.append(bracket)
            bracket = bracket.parent
        return bracket, crossed

    def function_of(self, block):
        while block is not None and not (block.kind == "block" and block.before == "function"):
            block = block.parent
        return block

    def statement_of(self, index):
        """First and last index of the statement of the token within its innermost block."""
        block, _ = self.block_of(index)
        lower = block.start if block else -1
        upper = block.end if block and block.end >= 0 else len(self.tokens)
        first = last = index
        while first - 1 > lower and not self._ends_statement(first - 1, block):
            first -= 1
        while last + 1 < upper and not self._ends_statement(last, block):
            last += 1
        return first, last

    def _ends_statement(self, index, block):
        text = self.tokens[index].text
        if text == ";":
            return self.enclosing[index] is block
        if text == "{":
            return self.enclosing[index] is block and any(b.start == index and b.kind == "block" for b in self.brackets)
        if text == "}":
            return self.enclosing[index] is block and any(b.end == index and b.kind == "block" for b in self.brackets)
        return False
