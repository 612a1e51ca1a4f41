"""Coroutines keep to the shapes that g++ 12 compiles correctly (ARCHITECTURE.md, coroutines).

g++ 12.2 silently miscompiles a co_await in a condition of a coroutine without locals, and in one expression with ?:,
aggregates or capturing lambdas: wrong jumps and double frees, without a warning.
"""

import re

import house
from cpp_blocks import CONDITIONS, Source

NO_DECLARATION = {
    "if", "while", "for", "switch", "do", "try", "return", "co_return", "co_await", "co_yield", "throw", "delete", "goto",
    "break", "continue", "case", "new", "static", "constexpr",
}
DECLARATION = re.compile(
    r"(?:const |volatile |unsigned |signed |typename )*"
    r"[A-Za-z_][\w]*(?: ?:: ?[A-Za-z_]\w*)*(?: ?<.*?>)?(?: ?:: ?\w+)*[ *&]+"
    r"(?:[A-Za-z_]\w*|\[[\w ,]+\]) ?(?:=|;|\{|\(|\[|$)"
)


def awaits_of(source):
    return [index for index, token in enumerate(source.tokens) if token.text == "co_await"]


def place_faults(source, index):
    _, crossed = source.block_of(index)
    for bracket in crossed:
        if bracket.kind == "parentheses" and bracket.before in CONDITIONS:
            yield f"co_await in the condition of {bracket.before}"
        if bracket.kind == "initialiser":
            yield "co_await within the braces of an initialiser"


def statement_faults(source, index):
    """Faults of the statement whose first co_await stands at `index`."""
    block, _ = source.block_of(index)
    first, last = source.statement_of(index)
    own = [at for at in range(first, last + 1) if source.block_of(at)[0] is block]
    awaits = [at for at in own if source.tokens[at].text == "co_await"]
    if awaits[0] != index:
        return
    if len(awaits) > 1:
        yield f"{len(awaits)} co_await in one statement"
    if any(source.tokens[at].text == "?" for at in own):
        yield "co_await and ?: in one statement"
    for bracket in source.brackets:
        if bracket.kind == "lambda" and bracket.start in own and bracket.end > bracket.start + 1:
            yield "co_await and a capturing lambda in one statement: name the lambda first"


def body_statements(source, body):
    """The first tokens of each statement of a function's body, as texts."""
    at = body.start + 1
    while at < body.end:
        _, last = source.statement_of(at)
        yield at, " ".join(token.text for token in source.tokens[at : last + 1])
        at = last + 1


def first_statement_fault(source, body):
    for at, text in body_statements(source, body):
        head = text.split(" ")[0]
        if head in ("using", "namespace", "static_assert"):
            continue
        if head in NO_DECLARATION or not DECLARATION.match(text):
            return f"{source.tokens[at].line}: a coroutine begins with a local variable, not with `{text[:50]}`"
        return None
    return f"{source.tokens[body.start].line}: a coroutine begins with a local variable"


def check(files):
    """Coroutines keep to the shapes that g++ 12 compiles correctly."""
    faults = []
    for path, text in files.items():
        if not re.search(r"\bco_(await|return|yield)\b", text):
            continue
        source = Source(text)
        for index in awaits_of(source):
            line = source.tokens[index].line
            faults += [f"{path}:{line}: {fault}" for fault in place_faults(source, index)]
            faults += [f"{path}:{line}: {fault}" for fault in statement_faults(source, index)]
        bodies = []
        for index, token in enumerate(source.tokens):
            if token.text in ("co_await", "co_return", "co_yield"):
                body = source.function_of(source.block_of(index)[0])
                if body is not None and body not in bodies:
                    bodies.append(body)
        faults += [f"{path}:{fault}" for fault in map(lambda body: first_statement_fault(source, body), bodies) if fault]
    return faults


def _coroutine(body):
    return {"relay/a.cpp": "awaitable<void> f(Conn& c) {\n  auto x = 1;\n  " + body + "\n}\n"}


def _bare(body):
    return {"relay/a.cpp": "awaitable<int> C::f(int a) const {\n  " + body + "\n}\n"}


EXAMPLES = (
    ("a named result", _coroutine("auto ec = co_await c.write(banner);\n  if (ec) co_return;"), 0),
    ("a bare statement", _coroutine("co_await timer.async_wait(use_awaitable);"), 0),
    ("two statements", _coroutine("co_await f(); co_await g();"), 0),
    ("in the arms of if", _coroutine("if (a) co_await f(); else co_await g();"), 0),
    ("in the body of a loop", _coroutine("for (auto& y : ys) { auto z = co_await f(y); use(z); }"), 0),
    ("condition of if", _coroutine("if (co_await f()) co_return;"), 1),
    ("condition of if with initialiser", _coroutine("if (auto y = co_await f(); y) co_return;"), 1),
    ("condition of while", _coroutine("while (!co_await f(a, b)) { g(); }"), 1),
    ("range of for", _coroutine("for (auto y : co_await f()) g(y);"), 1),
    ("switch", _coroutine("switch (co_await f()) { case 1: break; }"), 1),
    ("conditional operator", _coroutine('auto y = c ? co_await f() : T("q");'), 1),
    ("conditional argument", _coroutine("auto y = co_await f(c ? T() : U());"), 1),
    ("conditional beside it", _coroutine("auto z = c ? 1 : 2;\n  auto y = co_await f(z);"), 0),
    ("aggregate", _coroutine("Agg a{1, co_await f()};"), 1),
    ("returned aggregate", _coroutine("co_return Agg{.x = co_await f()};"), 1),
    ("braced argument", _coroutine("g({co_await f()});"), 1),
    ("vector", _coroutine('std::vector<std::string> v{"x", co_await g()};'), 1),
    ("two in one statement", _coroutine("auto y = co_await f() + co_await g();"), 1),
    ("nested", _coroutine("auto y = co_await f(co_await g());"), 1),
    ("operators of awaitables", _coroutine("auto y = co_await (f() || g());"), 0),
    ("capturing lambda", _coroutine("co_await f([y](int z) { return y + z; });"), 1),
    ("capturing lambda without parameters", _coroutine("auto r = co_await f([s = std::move(s)] { return s; });"), 1),
    ("lambda that captures nothing", _coroutine("co_await f([](int z) { return z; });"), 0),
    ("named lambda", _coroutine("auto job = [s = std::move(s)](int z) { return s + z; };\n  co_await f(std::move(job));"), 0),
    ("subscript", _coroutine("co_await f(ys[y]);"), 0),
    ("structured binding", _coroutine("auto [ec, n] = co_await f();\n  auto& [k, v] = x;"), 0),
    ("inside a lambda's coroutine", _coroutine("auto job = [&c]() -> awaitable<Result<A, B>> { int n = 0; co_await g(n); };"), 0),
    ("lambda's coroutine without a local", _coroutine("auto job = [&c]() -> awaitable<void> { co_await g(c); };"), 1),
    ("two lambdas in one statement", _coroutine("run([&]() -> awaitable<void> { int n; co_await g(n); }, [&]() -> awaitable<void> { int n; co_await g(n); });"), 0),
    ("in try", _coroutine("try { co_await f(); } catch (const E& e) { g(); }"), 0),
    ("in a comment or string", _coroutine('// if (co_await f())\n  g("if (co_await f())");'), 0),
    ("first statement returns", _bare("co_return co_await f();"), 1),
    ("first statement calls", _bare("prepare(a);\n  co_await f();"), 1),
    ("first statement is a condition", _bare("if (a) co_return 1;\n  co_return 2;"), 1),
    ("first statement assigns", _bare("member_ = a;\n  co_return 2;"), 1),
    ("first statement is a member's call", _bare("socket_.close(ec);\n  co_return 2;"), 1),
    ("an alias, then a local", _bare("namespace asio = boost::asio;\n  std::string text;\n  co_return 2;"), 0),
    ("local with a template's type", _bare("std::vector<std::pair<A, B>> found;\n  co_return 2;"), 0),
    ("local reference", _bare("const auto& y = member_;\n  co_return 2;"), 0),
    ("local with constructor", _bare("asio::steady_timer timer(executor_, wait);\n  co_return 2;"), 0),
    ("local with braces", _bare("Work work{std::move(a)};\n  co_return 2;"), 0),
    ("local lambda", _bare("auto start = [&](Completion<Done> done) { g(done); };\n  auto r = co_await h<Done>(start);"), 0),
    ("nested block does not count", _bare("{ int x = 1; }\n  co_return 2;"), 1),
    ("a plain function is free", {"relay/a.cpp": "void f() {\n  g();\n}\n"}, 0),
)

if __name__ == "__main__":
    house.run(check, house.is_cpp, EXAMPLES)
